//! Tests of the parts that a later release wrote: each is kept, and ends when it says.

use std::sync::Arc;
use std::time::Duration;

use super::fixture::{
    NOW, TTL, after, changed, clearing, header, ops, plain, record, rotate, secret, set, touch, under, values,
};
use crate::record::Record;
use crate::record::delta::{Authenticate, Clear, Delta, FieldDeadline, HeaderOp};
use crate::record::details::LoginDetails;
use crate::record::front::FRONT;
use crate::record::header::{Header, LastRotation, PreviousSecret};
use crate::record::parts::{Ending, other_part};
use crate::record::varint::{write_number, write_slice};

/// The parts of a later release, one for each ending, and one that nothing ends.
fn parts() -> [Vec<u8>; 4] {
    [
        other_part(40, Ending::Rotation, b"ends with a rotation"),
        other_part(41, Ending::Authentication, b"ends with an authentication"),
        other_part(42, Ending::UserChange, &[0; 200]),
        [&[43 | 0xc0, 5][..], b"stays"].concat(),
    ]
}

/// A record to whose header a later release added parts.
fn with_parts(header: Header) -> Record {
    let known = record(header, []);
    let (end, before) = known.as_bytes().split_last().unwrap();
    assert_eq!(*end, 0, "the parts have an end");
    Record::from_bytes([before, &parts().concat(), &[0]].concat()).unwrap()
}

/// Returns the indices of the parts that are left, in their order.
fn left(record: &Record) -> Vec<usize> {
    let bytes = record.as_bytes();
    let places = parts().map(|part| bytes.windows(part.len()).position(|window| window == part));
    let left: Vec<usize> = (0..4).filter(|at| places[*at].is_some()).collect();
    assert!(left.is_sorted_by_key(|at| places[*at]), "they stay in their order");
    left
}

fn login(user: &str) -> HeaderOp {
    HeaderOp::Authenticate(Authenticate {
        user: user.into(),
        at: NOW,
        is_proved: true,
        ttl: TTL,
        absolute_deadline: None,
        device_label: None,
        details: None,
    })
}

#[test]
fn parts_of_later_releases_end_as_their_tags_say() {
    let acting = LoginDetails { actor: Some("ada".into()), ..LoginDetails::default() }.shared();
    let act_as = |user: &str, details: Option<Arc<LoginDetails>>| HeaderOp::ActAs { user: user.into(), details };
    let renew = HeaderOp::Renew { if_current: secret(0), secret: secret(1), at: NOW };
    let cases: [(Delta, &[usize]); 9] = [
        (set("a", plain("1")), &[0, 1, 2, 3]),
        (clearing(Clear::All, [("a", Some(plain("1")))]), &[0, 1, 2, 3]),
        (ops([touch(after(60), after(4000))]), &[0, 1, 2, 3]),
        (ops([renew]), &[0, 1, 2, 3]),
        (ops([rotate(1, NOW)]), &[1, 2, 3]),
        (ops([login("ada"), rotate(1, NOW)]), &[2, 3]),
        (ops([login("grace"), rotate(1, NOW)]), &[3]),
        (ops([act_as("grace", acting.clone()), rotate(1, NOW)]), &[3]),
        (ops([act_as("grace", acting), rotate(1, NOW), login("grace")]), &[3]),
    ];
    for (at, (delta, expected)) in cases.iter().enumerate() {
        let before = with_parts(Header { user_id: Some("ada".into()), ..header() });
        assert_eq!(left(&before), [0, 1, 2, 3]);
        let after = changed(&before, delta);
        assert_eq!(left(&after), *expected, "case {at}");
        let again = changed(&after, &under(after.header().generation.number(), set("b", plain("1"))));
        assert_eq!(left(&again), *expected, "case {at}: nothing comes back");
    }
}

#[test]
fn a_change_of_fields_leaves_the_parts_of_a_header_byte_for_byte() {
    let before = with_parts(Header {
        user_id: Some("ada".into()),
        rotation: Some(LastRotation { at: NOW, replaced: secret(7), beside: None, same_owner: true }),
        previous: Some(PreviousSecret { secret: secret(8), renewed: NOW, used: Some(NOW), until: Some(after(30)) }),
        ..header()
    });
    let written = &before.as_bytes()[FRONT..];
    let mut record = before.clone();
    for delta in [
        set("a", plain("1")),
        values([("b", Some(plain("2"))), ("a", None)]),
        clearing(Clear::AllButCarried, [("c", Some(plain("3")))]),
        clearing::<&str>(Clear::All, []),
    ] {
        record = changed(&record, &delta);
        assert_eq!(&record.as_bytes()[FRONT..][..written.len()], written);
    }
    assert_eq!(&record.as_bytes()[FRONT..], written, "nothing else is left");
}

#[test]
fn an_anonymous_session_is_nobody_else_before_a_login() {
    // From anonymous to a user, what is not the login's stays.
    let after = changed(&with_parts(header()), &ops([login("ada"), rotate(1, NOW)]));
    assert_eq!(left(&after), [2, 3]);
}

/// A field with flags that this release does not know, and a deadline if these say so.
fn flagged(key: &str, flags: u8, ttl: u64, value: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    write_slice(&mut packed, key.as_bytes());
    packed.push(flags);
    if flags & 2 != 0 {
        write_number(&mut packed, after(900).unix_seconds());
        write_number(&mut packed, ttl);
    }
    write_slice(&mut packed, value);
    packed
}

#[test]
fn flags_of_later_releases_are_kept() {
    let fields = [flagged("x.a", 0b1000_1000, 0, b"1"), flagged("x.b", 0b0100_0011, 900, b"2")];
    let known = record(header(), []);
    let before = Record::from_bytes([&known.as_bytes()[..], &fields.concat()].concat()).unwrap();
    assert!(before.field("x.b", NOW).is_some_and(
        |value| value.carried && value.deadline == Some(FieldDeadline::after(NOW, Duration::from_secs(900)))
    ));
    let kept = |record: &Record, field: &[u8]| record.as_bytes().windows(field.len()).any(|window| window == field);
    for (at, delta) in [set("c", plain("1")), ops([rotate(1, NOW)])].iter().enumerate() {
        let after = changed(&before, delta);
        assert!(fields.iter().all(|field| kept(&after, field)), "delta {at}");
    }
    let carried = changed(&before, &clearing(Clear::AllButCarried, [("c", Some(plain("1")))]));
    assert!(!kept(&carried, &fields[0]) && kept(&carried, &fields[1]), "this release obeys those that it knows");
}

#[test]
fn flags_of_later_releases_are_kept_where_the_lead_of_a_clock_is_taken_back() {
    let field = flagged("x.b", 0b0100_0011, 800, b"2");
    let before = Record::from_bytes([&record(header(), []).as_bytes()[..], &field].concat()).unwrap();
    let corrected = changed(&before, &ops([HeaderOp::Correct]));
    assert!(corrected.field("x.b", NOW).is_some_and(
        |value| value.carried && value.deadline == Some(FieldDeadline::after(NOW, Duration::from_secs(800)))
    ));
    let flags = corrected.as_bytes()[corrected.as_bytes().len() - b"2".len() - 1 - 2 - 5 - 1];
    assert_eq!(flags, 0b0100_0011);
}
