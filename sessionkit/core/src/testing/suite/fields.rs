//! Operations on fields.

use std::sync::Arc;

use super::fixture::{
    NOW, Session, add, carried, committed, delta, header, plain, record, refused_as_corrupt, remove, replace, secret,
    set, until,
};
use super::fixture::{TTL, after};
use super::seen::{Seen, SeenRecord};
use crate::record::delta::{Authenticate, FieldOp, HeaderOp, StoredValue};
use crate::record::header::Header;
use crate::store::{CommitOutcome, Receipt, Store};

/// An empty delta is accepted by a live session, and changes nothing.
pub async fn an_empty_delta_changes_nothing<S: Store>(store: Arc<S>) {
    let session = Session::with(&store, [("a", plain("1"))]).await;
    let before = session.seen().await;
    session.apply([]).await;
    assert_eq!(session.seen().await, before);
}

/// `Set` replaces the bytes and the flags, and leaves other fields alone.
pub async fn a_set_replaces_value_and_flags<S: Store>(store: Arc<S>) {
    let all = StoredValue { carried: true, ..until(after(9), "1") };
    let session = Session::with(&store, [("a", all.clone()), ("b", all.clone())]).await;
    session.apply([set("a", plain("2"))]).await;
    let expected = record(header(), [("a", plain("2")), ("b", all)]);
    assert_eq!(session.seen().await, SeenRecord::of(&expected));
}

/// What a field holds, what it must hold, and whether it does.
type Condition = (Option<StoredValue>, Option<&'static [u8]>, bool);

/// `Replace` happens if the field holds exactly the expected bytes, absence included; flags do not matter.
pub async fn a_replacement_needs_the_expected_bytes<S: Store>(store: Arc<S>) {
    let cases: [Condition; 12] = [
        (None, None, true),
        (None, Some(b""), false),
        (None, Some(b"1"), false),
        (Some(plain("1")), Some(b"1"), true),
        (Some(carried("1")), Some(b"1"), true),
        (Some(until(after(9), "1")), Some(b"1"), true),
        (Some(plain("1")), Some(b"2"), false),
        (Some(plain("1")), Some(b""), false),
        (Some(plain("1")), Some(b"11"), false),
        (Some(plain("1")), None, false),
        (Some(plain("")), Some(b""), true),
        (Some(plain("")), None, false),
    ];
    for (held, expected, accepted) in cases {
        for value in [None, Some(plain("new")), Some(carried("!new"))] {
            let before = record(header(), held.clone().map(|held| ("a", held)));
            let session = Session::of(&store, &before).await;
            let outcome = session.commit(&delta([], [replace("a", expected, value.clone())])).await;
            let case = format!("{held:?} replaced by {value:?} where {expected:?} is expected");
            assert_eq!(matches!(outcome, CommitOutcome::Committed(_)), accepted, "{case}: {outcome:?}");
            let after = if accepted { record(header(), value.map(|value| ("a", value))) } else { before };
            assert_eq!(session.seen().await, SeenRecord::of(&after), "{case}");
        }
    }
}

/// A commit of which one operation conflicts, or meets what is not an integer, changes nothing.
pub async fn a_conflict_changes_nothing_and_shows_the_record<S: Store>(store: Arc<S>) {
    let session = Session::with(&store, [("a", carried("1")), ("b", until(after(9), "x")), ("c", plain("3"))]).await;
    let before = session.seen().await;
    let header = || {
        let rotate = HeaderOp::Rotate { secret: secret(1) };
        vec![authenticate("ada"), rotate, HeaderOp::Touch { last_seen: after(5), idle_deadline: after(5000) }]
    };
    let changes = || vec![set("a", plain("9")), add("c", 1), remove("b"), set("d", plain("4"))];
    let conflicts = [replace("c", Some(b"9"), Some(plain("5"))), replace("e", Some(b""), None)];
    for (place, conflict) in [0, 1, 4].into_iter().flat_map(|place| conflicts.clone().map(|op| (place, op))) {
        let mut fields = changes();
        fields.insert(place, conflict);
        match session.commit(&delta(header(), fields)).await {
            CommitOutcome::Conflict(record) => {
                assert_eq!(SeenRecord::of(&record), before, "a conflict shows the record as it is");
            }
            other => panic!("the commit conflicts at operation {place}, but: {other:?}"),
        }
        assert_eq!(session.seen().await, before, "[P6] a conflict at operation {place} changes nothing");
    }
    for place in [0, 1, 3] {
        let mut fields = changes();
        fields.insert(place, add(if place == 3 { "a2" } else { "b" }, 1));
        if place == 3 {
            fields.insert(0, set("a2", plain("not a number")));
        }
        refused_as_corrupt(
            session.try_commit(0, &delta(header(), fields), NOW).await,
            "adding to what is not an integer",
        );
        assert_eq!(session.seen().await, before, "[P6] adding to what is not an integer changes nothing");
    }
}

/// `Clear` removes every field, or those that are not carried; also those that no struct knows.
pub async fn clear_keeps_what_is_carried<S: Store>(store: Arc<S>) {
    let fields = || {
        let both = StoredValue { carried: true, ..until(after(9), "4") };
        [("a", plain("1")), ("b", carried("!2")), ("@user", carried("3")), ("x.unknown", both), ("@y", plain("!c 5"))]
    };
    let session = Session::with(&store, fields()).await;
    session.apply([FieldOp::Clear { keep_carried: true }]).await;
    let kept = fields().into_iter().filter(|(_, value)| value.carried);
    assert_eq!(session.seen().await, SeenRecord::of(&record(header(), kept)));

    let mut full = Header::new(secret(0), NOW, TTL, Some(TTL));
    full.user = Some("ada".into());
    full.device_label = Some("laptop".into());
    let session = Session::of(&store, &record(full.clone(), fields())).await;
    session.apply([FieldOp::Clear { keep_carried: false }]).await;
    assert_eq!(session.seen().await, SeenRecord::of(&record(full, [])), "the header is no field");
}

/// A name, operations, and the fields that they lead to.
type Sequence = (&'static str, Vec<FieldOp>, &'static [(&'static str, &'static str)]);

/// Each operation sees what those before it did.
pub async fn operations_apply_in_order<S: Store>(store: Arc<S>) {
    let clear = |keep_carried| FieldOp::Clear { keep_carried };
    let cases: [Sequence; 9] = [
        ("set twice", vec![set("n", plain("1")), set("n", plain("2"))], &[("n", "2"), ("a", "5"), ("b", "6")]),
        ("set, then remove", vec![set("n", plain("1")), remove("n")], &[("a", "5"), ("b", "6")]),
        ("remove, then set", vec![remove("a"), set("a", plain("1"))], &[("a", "1"), ("b", "6")]),
        ("remove, then add", vec![remove("a"), add("a", 2)], &[("a", "2"), ("b", "6")]),
        ("add, then add", vec![add("a", 2), add("a", -9)], &[("a", "-2"), ("b", "6")]),
        (
            "set, then replace",
            vec![set("a", plain("x")), replace("a", Some(b"x"), Some(plain("y")))],
            &[("a", "y"), ("b", "6")],
        ),
        (
            "clear, then set",
            vec![clear(false), set("n", plain("1")), replace("a", None, Some(plain("2")))],
            &[("n", "1"), ("a", "2")],
        ),
        ("set, then clear", vec![set("n", plain("1")), set("c", carried("1")), clear(true)], &[("b", "6"), ("c", "1")]),
        ("carried no more", vec![set("b", plain("1")), clear(true), add("b", 1)], &[("b", "1")]),
    ];
    for (case, fields, expected) in cases {
        let session = Session::with(&store, [("a", plain("5")), ("b", carried("6"))]).await;
        session.apply(fields).await;
        let seen = session.seen().await;
        let held = seen.fields.iter().map(|(key, field)| (key.clone(), field.bytes.0.clone()));
        let mut expected: Vec<_> =
            expected.iter().map(|(key, value)| (key.to_string(), value.as_bytes().to_vec())).collect();
        expected.sort();
        assert_eq!(held.collect::<Vec<_>>(), expected, "{case}");
    }

    let session = Session::with(&store, [("a", plain("5")), ("b", carried("6"))]).await;
    let login =
        delta([authenticate("ada"), HeaderOp::Rotate { secret: secret(1) }], [clear(true), set("n", plain("1"))]);
    let receipt: Receipt = committed(session.commit(&login).await);
    let seen = session.seen().await;
    assert_eq!(Seen::receipt(&receipt), Seen::receipt(&Receipt::of(session.record().await.header())));
    assert_eq!((seen.user.as_deref(), seen.generation), (Some("ada"), 1));
    assert_eq!(seen.fields.keys().collect::<Vec<_>>(), ["b", "n"], "header and fields change in one commit");
}

fn authenticate(user: &str) -> HeaderOp {
    let (user, at, ttl) = (user.into(), NOW, TTL);
    HeaderOp::Authenticate(Authenticate { user, at, ttl, absolute_deadline: None, device_label: None, details: None })
}
