//! Rotations, logins, and acting as somebody.

use std::sync::Arc;
use std::time::Duration;

use super::fixture::{
    NOW, Outcome, Seen, TTL, after, changed, changed_at, header, ops, outcome, plain, record, rotate, secret, set,
    touch, under,
};
use crate::record::Record;
use crate::record::credential_stamp::CredentialStamp;
use crate::record::delta::{Authenticate, Delta, HeaderOp};
use crate::record::details::LoginDetails;
use crate::record::front::Generation;
use crate::record::header::{Header, LastRotation, PreviousSecret};
use crate::time::Timestamp;

fn details(method: &str) -> Option<Arc<LoginDetails>> {
    LoginDetails { methods: vec![method.into()], ..LoginDetails::default() }.shared()
}

fn login(user: &str) -> Authenticate {
    Authenticate {
        user: user.into(),
        at: NOW,
        is_proved: true,
        ttl: TTL,
        absolute_deadline: None,
        device_label: None,
        details: None,
    }
}

/// The header after a rotation by a request that came with the first secret.
fn rotated(before: &Header, to: u8, same_owner: bool) -> Header {
    let renewed = before.previous.map(|previous| previous.secret);
    let beside = [Some(before.secret), renewed].into_iter().flatten().find(|beside| *beside != secret(0));
    Header {
        secret: secret(to),
        previous: None,
        generation: before.generation.next(),
        rotation: Some(LastRotation { at: after(3), replaced: secret(0), beside, same_owner }),
        ..before.clone()
    }
}

#[test]
fn a_rotation_refuses_the_old_generation() {
    let mut first = header();
    first.previous = Some(PreviousSecret { secret: secret(7), renewed: NOW, used: None, until: None });
    let before = record(first.clone(), [("a", plain("1"))]);
    let record = changed(&before, &ops([rotate(1, after(3))]));
    assert_eq!(record.header().generation.number(), 1, "[P3] a rotation raises the generation");
    let expected = Seen::new(rotated(&first, 1, true), [("a", plain("1"))]);
    assert_eq!(Seen::of(&record), expected, "[P3] the old secrets are dead at once");

    for generation in [0, 2, u32::MAX] {
        for delta in [set("a", plain("2")), ops([rotate(3, NOW)]), ops([]), ops([touch(after(5), after(9000))])] {
            let outcome = outcome(&record, &under(generation, delta), NOW);
            assert!(matches!(outcome, Outcome::Stale), "[P3] generation {generation} is stale, but: {outcome:?}");
        }
    }
    let twice = changed(&record, &under(1, ops([rotate(2, NOW), rotate(3, NOW)])));
    assert_eq!((twice.header().generation.number(), twice.header().secret == secret(3)), (3, true));
}

#[test]
fn the_generation_wraps_around() {
    let last = Header { generation: Generation::from_number(u32::MAX), ..header() };
    let record = changed(&record(last, []), &under(u32::MAX, ops([rotate(1, NOW)])));
    assert_eq!(record.header().generation.number(), 0);
    assert!(matches!(outcome(&record, &under(u32::MAX, ops([rotate(2, NOW)])), NOW), Outcome::Stale));
}

#[test]
fn a_login_begins_a_new_lifetime() {
    let mut first = header();
    first.absolute_deadline = Some(after(5000));
    first.device_label = Some("old".into());
    first.details = details("old");
    // It may be shorter.
    for (ttl, absolute, label) in
        [(10, None, Some("new")), (90_000, Some(after(50)), None), (10, Some(after(900_000)), None)]
    {
        let ttl = Duration::from_secs(ttl);
        let login = HeaderOp::Authenticate(Authenticate {
            at: after(3),
            ttl,
            absolute_deadline: absolute,
            device_label: label.map(Into::into),
            details: details("new"),
            ..login("ada")
        });
        let changed = changed(&record(first.clone(), []), &ops([login, rotate(1, after(3))]));
        let expected = Header {
            user_id: Some("ada".into()),
            authenticated: Some(after(3)),
            last_seen: after(3),
            ttl,
            idle_deadline: after(3).saturating_add(ttl),
            absolute_deadline: absolute,
            device_label: label.map(Into::into),
            details: details("new"),
            ..rotated(&first, 1, false)
        };
        assert_eq!(changed.header().deadline(), expected.deadline(), "[P4] the earlier deadline counts");
        assert_eq!(Seen::of(&changed), Seen::new(expected, []));
    }
}

#[test]
fn a_login_moves_a_beginning_that_is_to_come() {
    let first = Header::new(secret(0), after(1_000_000), TTL, Some(TTL));
    let login = Authenticate { at: after(3), absolute_deadline: Some(after(5000)), ..login("ada") };
    let changed =
        changed_at(&record(first.clone(), []), &ops([HeaderOp::Authenticate(login), rotate(1, after(3))]), after(3));
    let expected = Header {
        created: after(3),
        last_seen: after(3),
        idle_deadline: after(3).saturating_add(TTL),
        absolute_deadline: Some(after(5000)),
        user_id: Some("ada".into()),
        authenticated: Some(after(3)),
        ..rotated(&first, 1, false)
    };
    assert_eq!(Seen::of(&changed), Seen::new(expected, []));
}

#[test]
fn user_and_label_may_be_any_text() {
    let long = "u".repeat(5000);
    for text in ["", " ", "ada", "0", "!c 1", "@user", "a\0b", "Ада 🍪", "\r\n", &long] {
        let with_label = Authenticate { device_label: Some(text.into()), ..login(text) };
        let first = changed(&record(header(), []), &ops([HeaderOp::Authenticate(with_label)]));
        let held = first.header();
        assert_eq!((held.user_id.as_deref(), held.device_label.as_deref()), (Some(text), Some(text)));
        let again = changed(&first, &ops([HeaderOp::Authenticate(login(text))]));
        assert_eq!(again.header().device_label, None, "a login without a label leaves none");
    }
}

#[test]
fn a_login_replaces_every_detail_of_the_one_before() {
    let (stamp, long) = (CredentialStamp::from_bytes([0, 255, b' ', b'!', b'@', b'\r', b'\n', 9]), "a".repeat(5000));
    let (none, one, two) = (vec![], vec!["pwd".to_owned()], vec!["pwd".to_owned(), "otp".to_owned()]);
    let all = [
        LoginDetails { methods: none.clone(), actor: None, stamp: None, own_lifetime: false },
        LoginDetails { methods: one.clone(), actor: Some("".into()), stamp: Some(stamp), own_lifetime: true },
        LoginDetails { methods: two, actor: Some("!c 1 Ада 🍪".into()), stamp: None, own_lifetime: true },
        LoginDetails { methods: none, actor: Some(long.into()), stamp: Some(stamp), own_lifetime: true },
        LoginDetails { methods: one, actor: None, stamp: None, own_lifetime: false },
        LoginDetails::default(),
    ];
    let mut record = record(header(), []);
    for details in all.map(LoginDetails::shared) {
        record =
            changed(&record, &ops([HeaderOp::Authenticate(Authenticate { details: details.clone(), ..login("ada") })]));
        assert_eq!(record.header().details, details);
    }
}

#[test]
fn acting_as_somebody_changes_no_time_and_no_label() {
    let mut first = header();
    (first.user_id, first.device_label, first.details) = (Some("grace".into()), Some("laptop".into()), details("pwd"));
    (first.authenticated, first.absolute_deadline) = (Some(NOW), Some(after(9000)));
    let acting =
        LoginDetails { methods: vec!["pwd".into()], actor: Some("grace".into()), stamp: None, own_lifetime: false }
            .shared();
    let begin = HeaderOp::ActAs { user: "ada".into(), details: acting.clone() };
    let acts = changed(&record(first.clone(), [("a", plain("1"))]), &ops([begin, rotate(1, after(3))]));
    let expected = Header { user_id: Some("ada".into()), details: acting, ..rotated(&first, 1, true) };
    assert_eq!(Seen::of(&acts), Seen::new(expected.clone(), [("a", plain("1"))]), "the owner is the one who acts");

    let end = HeaderOp::ActAs { user: "grace".into(), details: None };
    let acted = changed(&acts, &under(1, ops([end, rotate(2, after(3))])));
    let expected = Header { user_id: Some("grace".into()), details: None, ..rotated(&expected, 2, true) };
    assert_eq!(Seen::of(&acted), Seen::new(expected, [("a", plain("1"))]));
}

/// Makes the record of a session with this user and this actor.
fn owned(user: Option<&str>, actor: Option<&str>) -> Record {
    let details = LoginDetails { actor: actor.map(Into::into), ..LoginDetails::default() }.shared();
    record(Header { user_id: user.map(Into::into), details, ..header() }, [])
}

#[test]
fn the_last_rotation_knows_whether_the_owner_stayed() {
    let acting = |actor: &str| LoginDetails { actor: Some(actor.into()), ..LoginDetails::default() }.shared();
    let act_as = |user: &str, details| HeaderOp::ActAs { user: user.into(), details };
    let log_in = |user: &str| HeaderOp::Authenticate(login(user));
    let cases: [(Record, Vec<HeaderOp>, bool); 9] = [
        (owned(None, None), vec![], true),
        (owned(None, None), vec![log_in("ada")], false),
        (owned(Some("ada"), None), vec![], true),
        (owned(Some("ada"), None), vec![log_in("ada")], true),
        (owned(Some("ada"), None), vec![log_in("grace")], false),
        (owned(Some("grace"), None), vec![act_as("ada", acting("grace"))], true),
        (owned(Some("ada"), Some("grace")), vec![act_as("grace", None)], true),
        (owned(Some("ada"), Some("grace")), vec![log_in("ada")], false),
        (owned(Some("ada"), Some("grace")), vec![], true),
    ];
    for (at, (record, mut header, same_owner)) in cases.into_iter().enumerate() {
        // Before the change of user, and behind it.
        for place in [0, header.len()] {
            header.insert(place, rotate(1, after(3)));
            let rotation = changed(&record, &ops(header.clone())).header().rotation.expect("it was rotated");
            assert_eq!((rotation.same_owner, rotation.at), (same_owner, after(3)), "case {at}");
            assert!(rotation.replaced == secret(0), "case {at}");
            header.remove(place);
        }
    }

    // Only a rotation says anything of it.
    let rotated = changed(&owned(None, None), &ops([rotate(1, after(3))]));
    let touched = changed(&rotated, &under(1, ops([touch(after(9), after(9000))])));
    assert!(touched.header().rotation.is_some_and(|rotation| rotation.same_owner));
}

#[test]
fn what_changes_nothing_is_unchanged() {
    let mut first = header();
    first.previous = Some(PreviousSecret { secret: secret(7), renewed: NOW, used: Some(NOW), until: Some(after(20)) });
    let record = record(first, [("a", plain("1"))]);
    let renew = HeaderOp::Renew { if_current: secret(9), secret: secret(1), at: NOW };
    let end_previous = |secret, until| HeaderOp::EndPrevious { if_current: secret, at: NOW, until };
    let deltas = [
        ops([]),
        ops([touch(NOW, after(3600))]),
        ops([touch(NOW, after(10))]),
        ops([renew]),
        ops([end_previous(secret(0), after(20))]),
        ops([end_previous(secret(0), after(30))]),
        ops([end_previous(secret(9), after(10))]),
        ops([HeaderOp::Correct]),
        set("a", plain("1")),
        super::fixture::values([("b", None)]),
        Delta { header: vec![touch(NOW, after(10))], ..set("a", plain("1")) },
    ];
    for (at, delta) in deltas.iter().enumerate() {
        let outcome = outcome(&record, delta, NOW);
        assert!(matches!(outcome, Outcome::Unchanged), "delta {at} changes nothing, but: {outcome:?}");
    }
}

#[test]
fn header_and_fields_change_together() {
    let record = record(header(), [("a", plain("5")), ("b", super::fixture::carried("6"))]);
    let login = Delta {
        header: vec![HeaderOp::Authenticate(login("ada")), rotate(1, NOW)],
        clear: crate::record::delta::Clear::AllButCarried,
        ..set("n", plain("1"))
    };
    let changed = changed(&record, &login);
    assert_eq!((changed.header().user_id.as_deref(), changed.header().generation.number()), (Some("ada"), 1));
    assert_eq!(super::fixture::keys(&changed), ["b", "n"]);
}

#[test]
fn the_secrets_before_a_rotation_open_the_session_for_a_while_with_their_rights() {
    let keep = |secret, at, until| HeaderOp::KeepFormer { secret, at, until };
    let formers = |record: &Record| -> Vec<(u8, Timestamp, Option<Timestamp>)> {
        let formers = record.header().former.iter().flat_map(|former| former.iter());
        formers.map(|former| (former.secret.as_bytes()[0], former.until, former.authenticated)).collect()
    };
    let previous = Some(PreviousSecret { secret: secret(7), renewed: NOW, used: Some(NOW), until: Some(after(20)) });
    let first = record(Header { previous, ..header() }, []);

    // A request that came with the secret before a renewal.
    let login = HeaderOp::Authenticate(login("ada"));
    let delta = ops([login.clone(), rotate(1, after(3)), keep(secret(7), after(3), after(60))]);
    let once = changed_at(&first, &delta, after(3));
    assert_eq!(formers(&once), [(7, after(20), None), (0, after(60), None)]);

    // The client got the token of that one, and another request came with the first.
    let delta = ops([login.clone(), rotate(2, after(4)), keep(secret(0), after(4), after(70))]);
    let twice = changed_at(&once, &under(1, delta), after(4));
    assert_eq!(formers(&twice), [(0, after(70), None), (1, after(70), Some(NOW)), (7, after(20), None)]);

    // There is room for four; those that have ended go.
    let mut record = twice;
    for generation in 2..6 {
        let to = generation as u8 + 1;
        let delta = ops([rotate(to, after(65)), keep(secret(to - 1), after(65), after(75))]);
        record = changed_at(&record, &under(generation, delta), after(65));
    }
    let expected = [5, 4, 3, 2].map(|secret| (secret, after(75), Some(NOW)));
    assert_eq!(formers(&record), expected);

    // A secret that opens the session no more is not among them.
    let delta = ops([rotate(9, after(65)), keep(secret(0), after(65), after(80))]);
    let record = changed_at(&record, &under(6, delta), after(65));
    assert_eq!(formers(&record)[..2], [(6, after(80), Some(NOW)), (5, after(75), Some(NOW))]);
}

#[test]
fn nothing_is_done_with_the_rights_of_a_secret_that_has_ended() {
    let keep = HeaderOp::KeepFormer { secret: secret(0), at: NOW, until: after(60) };
    let rotated = changed(&record(header(), []), &ops([rotate(1, NOW), keep]));
    let takes = |secret| under(1, ops([HeaderOp::TakeFormerRights { secret }, rotate(2, after(5))]));
    assert!(matches!(outcome(&rotated, &takes(secret(0)), after(59)), Outcome::Changed(_)));
    assert!(matches!(outcome(&rotated, &takes(secret(0)), after(60)), Outcome::Stale), "[P3] at its end");
    assert!(matches!(outcome(&rotated, &takes(secret(1)), NOW), Outcome::Stale), "[P3] it is no former one");
    let used = changed(&rotated, &under(1, ops([HeaderOp::EndFormer { if_current: secret(1) }])));
    assert!(matches!(outcome(&used, &takes(secret(0)), NOW), Outcome::Stale), "[P3] the next one is used");
}
