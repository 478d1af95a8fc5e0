//! How sessions and fields end by themselves.

use std::sync::Arc;

use super::fixture::{
    NOW, Session, TTL, add, after, carried, delta, header, plain, record, remove, replace, secret, set, until,
};
use crate::record::delta::{FieldOp, HeaderOp};
use crate::record::header::Header;
use crate::store::{CommitOutcome, Store};
use crate::time::Timestamp;

fn before(time: Timestamp) -> Timestamp {
    Timestamp::from_unix_seconds(time.unix_seconds() - 1)
}

fn touch(last_seen: Timestamp, idle_deadline: Timestamp) -> HeaderOp {
    HeaderOp::Touch { last_seen, idle_deadline }
}

/// Up to the second before its deadline a session lives; at it, and after it, it neither loads nor commits.
pub async fn an_expired_session_is_gone<S: Store>(store: Arc<S>) {
    let idle = header();
    let mut absolute = header();
    absolute.absolute_deadline = Some(after(100));
    let mut past_it = header();
    past_it.idle_deadline = after(200);
    past_it.absolute_deadline = Some(after(300));
    for header in [idle, absolute, past_it] {
        let deadline = header.deadline();
        let alive = before(deadline);
        for end in [deadline, deadline.saturating_add(TTL * 1000)] {
            let session = Session::of(&store, &record(header.clone(), [("a", plain("1"))])).await;
            assert!(session.load(alive).await.is_some(), "[P4] a second before its deadline a session lives");
            let outcome = session.commit_at(0, &delta([], [set("a", plain("2"))]), alive).await;
            assert!(matches!(outcome, CommitOutcome::Committed(_)), "[P4] and commits, but: {outcome:?}");

            let longer = delta([touch(end, end.saturating_add(TTL))], [set("a", plain("3"))]);
            // First the commit: a store that sweeps as it loads could pass by that alone.
            let outcome = session.commit_at(0, &longer, end).await;
            assert!(matches!(outcome, CommitOutcome::Gone), "[P4] an expired session is gone, but: {outcome:?}");
            assert!(session.load(end).await.is_none(), "[P4] at its deadline a session does not load");
            let outcome = session.commit_at(9, &longer, end).await;
            assert!(matches!(outcome, CommitOutcome::Gone), "[P4] gone comes before stale, but: {outcome:?}");
        }
    }
}

/// A touch moves `last_seen` and the idle deadline later, up to the absolute deadline, and never earlier.
pub async fn a_touch_never_shortens_and_never_passes_the_absolute_deadline<S: Store>(store: Arc<S>) {
    let free = Header::new(secret(0), NOW, TTL, None);
    let bound = Header::new(secret(0), NOW, TTL, Some(TTL * 2));
    // Seen, deadline asked for; then what they must be without an absolute deadline, and with one after 7200 s.
    let steps = [
        ((10, 3700), (10, 3700), (10, 3700)),
        ((5, 3650), (10, 3700), (10, 3700)),
        ((20, 0), (20, 3700), (20, 3700)),
        ((20, 7199), (20, 7199), (20, 7199)),
        ((30, 9000), (30, 9000), (30, 7200)),
        ((30, 8000), (30, 9000), (30, 7200)),
    ];
    for header in [free, bound] {
        let is_bound = header.absolute_deadline.is_some();
        let session = Session::of(&store, &record(header, [("a", plain("1"))])).await;
        for ((seen, deadline), free, bound) in steps {
            let expected = if is_bound { bound } else { free };
            let receipt = session.apply_header(0, [touch(after(seen), after(deadline))]).await;
            let record = session.record().await;
            let held = (record.header().last_seen, record.header().idle_deadline);
            assert_eq!(held, (after(expected.0), after(expected.1)), "[P4] touched with {seen}, {deadline}");
            assert_eq!(receipt.deadline, after(expected.1), "[P4] the receipt says so");
            assert!(session.load(before(after(expected.1))).await.is_some(), "[P4] it lives as long as that");
        }
        assert_eq!(session.bytes("a").await.as_deref(), Some(&b"1"[..]), "a touch leaves fields alone");
    }

    let mut late = Header::new(secret(0), NOW, TTL, Some(TTL / 2));
    late.idle_deadline = after(5000);
    let session = Session::of(&store, &record(late, [])).await;
    session.apply_header(0, [touch(NOW, after(100))]).await;
    assert_eq!(session.record().await.header().idle_deadline, after(5000), "[P4] a touch never shortens");
}

/// At its deadline a field counts as absent for every operation.
pub async fn a_field_ends_at_its_deadline<S: Store>(store: Arc<S>) {
    let fields = [("a", until(after(50), "5"))];
    let holds = |op: FieldOp| delta([], [op]);
    let cases = [
        (holds(replace("a", Some(b"5"), Some(plain("6")))), true, "6", None),
        (holds(replace("a", None, Some(plain("6")))), false, "", Some("6")),
        (holds(add("a", 2)), true, "7", Some("2")),
    ];
    for (change, live, then, ended) in cases {
        let session = Session::with(&store, fields.clone()).await;
        let early = after(49);
        assert!(session.load(early).await.is_some_and(|record| record.field("a", early).is_some()));
        let outcome = session.commit_at(0, &change, early).await;
        assert_eq!(
            matches!(outcome, CommitOutcome::Committed(_)),
            live,
            "a second before its deadline a field is there"
        );
        if live {
            assert_eq!(session.bytes("a").await.as_deref(), Some(then.as_bytes()));
        }

        let session = Session::with(&store, fields.clone()).await;
        let record = session.load(after(50)).await.expect("the session lives on");
        assert!(record.field("a", after(50)).is_none(), "[P4] at its deadline a field is not returned");
        let outcome = session.commit_at(0, &change, after(50)).await;
        assert_eq!(
            matches!(outcome, CommitOutcome::Committed(_)),
            ended.is_some(),
            "[P4] at its deadline a field is absent"
        );
        if let Some(ended) = ended {
            assert_eq!(session.bytes("a").await.as_deref(), Some(ended.as_bytes()));
        }
    }
}

/// Any commit removes the fields whose time is up: touches, and commits to other fields.
pub async fn an_ended_field_goes_with_the_next_commit<S: Store>(store: Arc<S>) {
    let clear = FieldOp::Clear { keep_carried: true };
    let deltas = [
        delta([touch(after(60), after(4000))], []),
        delta([], [set("z", plain("1"))]),
        delta([], [remove("z")]),
        delta([], [clear]),
        delta([], []),
    ];
    for change in deltas {
        let mut long = carried("1");
        long.deadline = Some(after(500));
        let mut short = carried("1");
        short.deadline = Some(after(50));
        let fields = [("a", until(after(50), "1")), ("b", long), ("c", short), ("d", carried("1"))];
        let session = Session::with(&store, fields).await;
        session.commit_at(0, &change, after(50)).await;
        let mut left = session.seen().await;
        left.fields.remove("z");
        assert_eq!(left.fields.keys().collect::<Vec<_>>(), ["b", "d"], "{change:?}");
    }
}

/// Fields with several deadlines, given at once or later, end one by one.
pub async fn fields_of_several_deadlines_end_one_by_one<S: Store>(store: Arc<S>) {
    let session = Session::with(&store, [("c", until(after(300), "1")), ("e", plain("1"))]).await;
    session.apply([set("d", until(after(400), "1")), replace("a", None, Some(until(after(100), "1")))]).await;
    session.apply([set("b", until(after(200), "1")), set("x", until(after(50), "1")), remove("x")]).await;
    let touch = |seconds| delta([touch(after(seconds), after(seconds))], []);
    let steps: [(u64, &[&str]); 7] = [
        (99, &["a", "b", "c", "d", "e"]),
        (100, &["b", "c", "d", "e"]),
        (199, &["b", "c", "d", "e"]),
        (200, &["c", "d", "e"]),
        (299, &["c", "d", "e"]),
        (399, &["d", "e"]),
        (400, &["e"]),
    ];
    for (seconds, expected) in steps {
        session.commit_at(0, &touch(seconds), after(seconds)).await;
        assert_eq!(session.seen().await.fields.keys().collect::<Vec<_>>(), expected, "after {seconds} s");
    }
}
