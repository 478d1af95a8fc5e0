//! Tests of the limit on the size of a record.

use std::time::Duration;

use super::fixture::{
    NOW, Outcome, TTL, after, changed, header, ops, outcome, plain, record, rotate, secret, set, touch, until, values,
};
use crate::record::Record;
use crate::record::delta::{Authenticate, Clear, Delta, FieldDeadline, HeaderOp};
use crate::record::header::Header;

fn limited(limit: usize, delta: Delta) -> Delta {
    Delta { limit, ..delta }
}

/// A record of 100 bytes for fields: the key, the value, and two.
fn of_a_hundred() -> Record {
    record(header(), [("ab", plain([b'x'; 96]))])
}

#[test]
fn a_limit_is_exact() {
    for (length, deadline, size) in [(10, None, 10 + 1 + 2), (10, Some(9), 10 + 1 + 2 + 8), (0, None, 3)] {
        let mut value = plain(vec![b'y'; length]);
        value.deadline = deadline.map(|seconds| FieldDeadline::after(NOW, Duration::from_secs(seconds)));
        let delta = set("c", value);
        let total = 100 + size;
        assert!(matches!(outcome(&of_a_hundred(), &limited(total, delta.clone()), NOW), Outcome::Changed(_)));
        let outcome = outcome(&of_a_hundred(), &limited(total - 1, delta), NOW);
        assert!(matches!(outcome, Outcome::TooLarge(found) if found == total), "{outcome:?}");
    }
}

#[test]
fn a_record_that_is_too_large_already_may_shrink() {
    let shrinking = [
        set("ab", plain([b'x'; 95])),
        set("ab", plain([b'z'; 96])),
        values([("ab", None), ("c", Some(plain("1")))]),
        values([("ab", None)]),
    ];
    for (at, delta) in shrinking.into_iter().enumerate() {
        let outcome = outcome(&of_a_hundred(), &limited(50, delta), NOW);
        assert!(matches!(outcome, Outcome::Changed(_)), "delta {at} makes it no larger, but: {outcome:?}");
    }
    let growing = limited(50, set("ab", plain([b'x'; 97])));
    assert!(matches!(outcome(&of_a_hundred(), &growing, NOW), Outcome::TooLarge(101)));
    // What has ended takes no room.
    let record = record(header(), [("ab", until(after(5), [b'x'; 96])), ("c", plain("1"))]);
    let swap = limited(20, set("d", plain("0123456789abc")));
    assert!(matches!(outcome(&record, &swap, NOW), Outcome::TooLarge(_)));
    assert!(matches!(outcome(&record, &swap, after(5)), Outcome::Changed(_)));
}

#[test]
fn the_header_never_fails_by_size() {
    let login = HeaderOp::Authenticate(Authenticate {
        user: "ada".repeat(100).into(),
        at: NOW,
        is_proved: true,
        ttl: TTL,
        absolute_deadline: None,
        device_label: Some("laptop".repeat(100).into()),
        details: None,
    });
    let deltas = [
        ops([login.clone(), rotate(1, NOW)]),
        ops([rotate(1, NOW)]),
        ops([touch(after(60), after(4000))]),
        ops([HeaderOp::Renew { if_current: secret(0), secret: secret(1), at: NOW }]),
        Delta { clear: Clear::AllButCarried, ..ops([login, rotate(1, NOW)]) },
    ];
    for (at, delta) in deltas.into_iter().enumerate() {
        changed(&of_a_hundred(), &limited(0, delta));
        let outcome = outcome(&of_a_hundred(), &limited(0, ops([])), NOW);
        assert!(matches!(outcome, Outcome::Unchanged), "delta {at}");
    }
    // Nor does taking back the lead of a clock.
    let ahead = Header::new(secret(0), after(500), Duration::from_secs(600), None);
    let record = record(ahead, [("ab", until(after(600), [b'x'; 96]))]);
    changed(&record, &limited(0, ops([HeaderOp::Correct])));
}
