//! Times of a clock that was ahead.

use std::sync::Arc;
use std::time::Duration;

use super::fixture::{
    NOW, Outcome, Seen, TTL, after, changed, changed_at, header, ops, outcome, plain, record, secret, set, until,
};
use crate::record::delta::{Delta, HeaderOp};
use crate::record::header::{FormerSecret, Header, LastRotation, PreviousSecret};

const CORRECT: HeaderOp = HeaderOp::Correct { now: NOW };

/// A header that a clock wrote which was ahead by so many seconds.
fn ahead(seconds: u64) -> Header {
    let (lead, mut header) = (Duration::from_secs(seconds), header());
    (header.user_id, header.authenticated) = (Some("ada".into()), Some(NOW.saturating_add(lead)));
    header.absolute_deadline = Some(after(9000).saturating_add(lead));
    header.created = NOW.saturating_add(lead);
    header.last_seen = NOW.saturating_add(lead);
    header.idle_deadline = after(3600).saturating_add(lead);
    header
}

/// The header that it is taken back to. When the user proved who they are is not known.
fn corrected() -> Header {
    Header { authenticated: None, ..ahead(0) }
}

#[test]
fn the_lead_of_a_clock_is_taken_back() {
    for lead in [31, 100, 1_000_000] {
        let fields = [("a", until(after(60 + lead), "1")), ("b", plain("2"))];
        let found = changed(&record(ahead(lead), fields), &ops([CORRECT]));
        let expected = Seen::new(corrected(), [("a", until(after(60), "1")), ("b", plain("2"))]);
        assert_eq!(Seen::of(&found), expected, "a lead of {lead} s");
        assert!(matches!(outcome(&found, &ops([CORRECT]), NOW), Outcome::Unchanged), "once");
    }
}

#[test]
fn clocks_may_differ_by_a_little() {
    for lead in [0, 1, 30] {
        let record = record(ahead(lead), [("a", until(after(60 + lead), "1"))]);
        assert!(matches!(outcome(&record, &ops([CORRECT]), NOW), Outcome::Unchanged), "a lead of {lead} s");
    }
}

#[test]
fn one_time_that_is_ahead_is_enough() {
    let seen = Header { last_seen: after(500), idle_deadline: after(500).saturating_add(TTL), ..header() };
    let corrected = changed(&record(seen, []), &ops([CORRECT]));
    assert_eq!(Seen::of(&corrected), Seen::new(header(), []));

    let authenticated = Header { authenticated: Some(after(500)), ..header() };
    let corrected = changed(&record(authenticated, []), &ops([CORRECT]));
    assert_eq!(Seen::of(&corrected), Seen::new(header(), []), "it may be of any age");

    for (at, expected) in [(after(30), NOW), (NOW, NOW)] {
        let mixed = Header { authenticated: Some(at), last_seen: after(500), ..header() };
        let corrected = changed(&record(mixed, []), &ops([CORRECT]));
        assert_eq!(corrected.header().authenticated, Some(expected), "that clock was right");
    }
}

#[test]
fn a_secret_that_was_replaced_opens_no_longer_and_gives_no_more() {
    let former = |until, authenticated| {
        Some(Arc::from([FormerSecret { secret: secret(7), until, authenticated, methods: Vec::new() }]))
    };
    let wrong = Header { former: former(after(520), Some(after(400))), ..ahead(500) };
    let right = Header { former: former(after(20), None), ..corrected() };
    let corrected = changed(&record(wrong, []), &ops([CORRECT]));
    assert_eq!(Seen::of(&corrected), Seen::new(right, []), "[P3]");
}

#[test]
fn secrets_that_were_replaced_end_when_they_should() {
    let rotation = |at| Some(LastRotation { at, replaced: secret(8), beside: None, same_owner: true });
    let previous = |renewed, until| Some(PreviousSecret { secret: secret(7), renewed, until });
    for (until, then) in [(None, None), (Some(after(520)), Some(after(20)))] {
        let wrong = Header { rotation: rotation(after(500)), previous: previous(after(500), until), ..ahead(500) };
        let right = Header { rotation: rotation(NOW), previous: previous(NOW, then), ..corrected() };
        let corrected = changed(&record(wrong, []), &ops([CORRECT]));
        assert_eq!(Seen::of(&corrected), Seen::new(right, []), "[P3] [P11] it opens no longer than it should");
    }
}

#[test]
fn what_a_request_sets_meanwhile_has_its_own_time() {
    let record = record(ahead(500), [("a", until(after(560), "1")), ("b", until(after(560), "1"))]);
    let delta = Delta { header: vec![CORRECT], ..set("a", until(after(60), "2")) };
    let changed = changed_at(&record, &delta, NOW);
    let expected = [("a", until(after(60), "2")), ("b", until(after(60), "1"))];
    assert_eq!(Seen::of(&changed), Seen::new(corrected(), expected));
}
