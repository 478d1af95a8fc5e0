//! Times of a clock that is ahead of another server's.

use std::sync::Arc;
use std::time::Duration;

use super::fixture::{
    NOW, Outcome, Seen, TTL, after, changed, changed_at, granted, header, ops, outcome, plain, record, secret, set,
    touch,
};
use crate::record::Record;
use crate::record::delta::{Authenticate, Delta, HeaderOp, StoredValue};
use crate::record::header::{FormerSecret, Header, LastRotation, PreviousSecret};
use crate::time::Timestamp;

/// A header that a clock wrote which is ahead by so many seconds.
fn ahead(seconds: u64) -> Header {
    let (lead, mut header) = (Duration::from_secs(seconds), header());
    (header.user_id, header.authenticated) = (Some("ada".into()), Some(NOW.saturating_add(lead)));
    header.absolute_deadline = Some(after(9000).saturating_add(lead));
    header.created = NOW.saturating_add(lead);
    header.last_seen = NOW.saturating_add(lead);
    header.idle_deadline = after(3600).saturating_add(lead);
    header
}

/// The times of a header, without the note: created, authenticated, last seen, and the two deadlines.
type Times = (Timestamp, Option<Timestamp>, Timestamp, Timestamp, Option<Timestamp>);

fn times(header: &Header) -> Times {
    (header.created, header.authenticated, header.last_seen, header.idle_deadline, header.absolute_deadline)
}

/// The times of a record as a server sees them with this clock.
fn seen(record: &Record, now: Timestamp) -> Times {
    record.header().seen_at(now).map_or_else(|| times(record.header()), |seen| times(&seen.header))
}

/// A value that a clock granted which is ahead.
fn granted_ahead(lead: u64, ttl: u64, bytes: &str) -> StoredValue {
    granted(after(lead), ttl, bytes)
}

#[test]
fn a_server_that_is_behind_sees_what_was_granted_and_the_other_one_loses_nothing() {
    for lead in [31, 100, 1_000_000] {
        let noted = changed(&record(ahead(lead), []), &ops([HeaderOp::Correct]));
        assert_eq!(times(noted.header()), times(&ahead(lead)), "nothing that is stored ends earlier");
        let behind = (NOW, None, NOW, after(3600), Some(after(9000)));
        assert_eq!(seen(&noted, NOW), behind, "[P4] a lead of {lead} s: any age of the login is possible");
        assert!(matches!(outcome(&noted, &ops([HeaderOp::Correct]), NOW), Outcome::Unchanged), "once");
        for now in [after(lead), after((lead - 30).max(lead - lead / 4)), after(lead + 9)] {
            assert_eq!(seen(&noted, now), times(&ahead(lead)), "[P4] a clock that is not behind");
        }
    }
}

#[test]
fn the_time_that_passes_counts() {
    let noted = changed(&record(ahead(10_000), []), &ops([HeaderOp::Correct]));
    for passed in [1, 60, 3599] {
        assert_eq!(seen(&noted, after(passed)), seen(&noted, NOW), "{passed}");
        assert!(!matches!(outcome(&noted, &set("a", plain("1")), after(passed)), Outcome::Gone));
    }
    assert!(matches!(outcome(&noted, &set("a", plain("1")), after(3600)), Outcome::Gone), "[P4]");

    // Each touch counts from then on, for both of them.
    let mut used = noted;
    for passed in (1000..=8000).step_by(1000) {
        used = changed_at(&used, &ops([HeaderOp::Correct, touch(after(passed), after(passed + 3600))]), after(passed));
        let (_, _, last_seen, idle, absolute) = seen(&used, after(passed));
        assert_eq!((last_seen, idle, absolute), (after(passed), after(passed + 3600).min(idle), Some(after(9000))));
        assert_eq!(used.header().last_seen, after(10_000 + passed), "the other clock says so");
    }
    assert!(!matches!(outcome(&used, &set("a", plain("1")), after(8999)), Outcome::Gone));
    assert!(matches!(outcome(&used, &set("a", plain("1")), after(9000)), Outcome::Gone), "[P4] the absolute deadline");
    assert!(!matches!(outcome(&used, &set("a", plain("1")), after(18_999)), Outcome::Gone), "for the other clock");
}

#[test]
fn clocks_may_differ_by_a_little() {
    for lead in [0, 1, 30] {
        let record = record(ahead(lead), [("a", granted_ahead(lead, 60, "1"))]);
        assert!(matches!(outcome(&record, &ops([HeaderOp::Correct]), NOW), Outcome::Unchanged), "a lead of {lead} s");
    }
}

#[test]
fn what_a_right_clock_granted_stays() {
    let (login, absolute) = (Some(NOW), Some(after(7200)));
    let right = Header { user_id: Some("ada".into()), authenticated: login, absolute_deadline: absolute, ..header() };
    let used = Header { last_seen: after(500), idle_deadline: after(500).saturating_add(TTL), ..right.clone() };
    let noted = changed(&record(used, [("a", granted(NOW, 60, "1"))]), &ops([HeaderOp::Correct]));
    assert_eq!(seen(&noted, NOW), (NOW, login, NOW, after(3600), absolute), "[P4] a touch moves nothing else");
    assert!(noted.field("a", after(59)).is_some() && noted.field("a", after(60)).is_none());

    // A touch that was cut at the absolute deadline.
    let cut = Header { last_seen: after(500), idle_deadline: after(7200), ..right };
    assert_eq!(seen(&record(cut, []), NOW), (NOW, login, NOW, after(7200), absolute));
}

#[test]
fn a_login_begins_a_lifetime_of_its_own() {
    let login = HeaderOp::Authenticate(Authenticate {
        user: "ada".into(),
        at: after(9),
        is_proved: true,
        ttl: TTL,
        absolute_deadline: Some(after(5000)),
        device_label: None,
        details: None,
    });
    let fields = [("a", granted_ahead(500, 60, "1"))];
    let found = changed_at(&record(ahead(500), fields), &ops([login]), after(9));
    let times = (after(9), Some(after(9)), after(9), after(3609), Some(after(5000)));
    assert_eq!(seen(&found, after(9)), times);
    assert!(found.field("a", after(68)).is_some() && found.field("a", after(69)).is_none());
}

#[test]
fn secrets_that_were_replaced_end_when_they_should() {
    let former = |until, authenticated| {
        Some(Arc::from([FormerSecret { secret: secret(7), until, authenticated, methods: Vec::new() }]))
    };
    let rotation = |at| Some(LastRotation { at, replaced: secret(8), beside: None, same_owner: true });
    let previous = |at, until| Some(PreviousSecret { secret: secret(7), renewed: at, used: Some(at), until });
    let wrong = Header {
        rotation: rotation(after(500)),
        previous: previous(after(500), Some(after(530))),
        former: former(after(520), Some(after(400))),
        ..header()
    };
    let right = Header {
        rotation: rotation(NOW),
        previous: previous(NOW, Some(after(30))),
        former: former(after(20), None),
        ..header()
    };
    let corrected = changed(&record(wrong, []), &ops([HeaderOp::Correct]));
    assert_eq!(Seen::of(&corrected), Seen::new(right.clone(), []), "[P3] [P11] they open no longer, and give no more");
    assert!(matches!(outcome(&corrected, &ops([HeaderOp::Correct]), NOW), Outcome::Unchanged), "once");
    let later = Header { last_seen: after(500), idle_deadline: after(4100), ..right };
    let corrected = changed(&record(later.clone(), []), &ops([HeaderOp::Correct]));
    let untouched = |header: &Header| format!("{:?}{:?}{:?}", header.previous, header.rotation, header.former);
    assert_eq!(untouched(corrected.header()), untouched(&later), "another time says nothing of them");
}

#[test]
fn a_field_is_granted_its_time_from_now_on() {
    for lead in [31, 500, 1_000_000] {
        let fields = [("a", granted_ahead(lead, 60, "1")), ("b", granted(NOW, 90, "2")), ("c", plain("3"))];
        let found = changed(&record(header(), fields), &ops([HeaderOp::Correct]));
        let expected = [("a", granted(NOW, 60, "1")), ("b", granted(NOW, 90, "2")), ("c", plain("3"))];
        assert_eq!(Seen::of(&found), Seen::new(header(), expected), "a lead of {lead} s");
        assert!(!found.has_field_ahead(NOW));
        assert!(matches!(outcome(&found, &ops([HeaderOp::Correct]), NOW), Outcome::Unchanged), "once");
    }
}

#[test]
fn what_a_request_sets_meanwhile_has_its_own_time() {
    let record = record(header(), [("a", granted_ahead(500, 60, "1")), ("b", granted_ahead(500, 60, "1"))]);
    let delta = Delta { header: vec![HeaderOp::Correct], ..set("a", granted(NOW, 20, "2")) };
    let expected = [("a", granted(NOW, 20, "2")), ("b", granted(NOW, 60, "1"))];
    assert_eq!(Seen::of(&changed_at(&record, &delta, NOW)), Seen::new(header(), expected));
}
