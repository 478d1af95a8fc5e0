//! Commits that meet what was sent before them: lost and late answers, failovers, drafts that are not stored.

use std::time::Duration;

use tokio::time::Instant;

use super::bench::{Act, Bench, Gate, NOW, add, is_stale, number, others, rotate, secret, set};
use crate::record::delta::Delta;
use crate::record::front::Generation;
use crate::store::entry::Entry;
use crate::store::key::EntryKey;
use crate::store::{RemoveOutcome, Store as _};

/// Lets everybody go as far as they can without the time going on.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

/// A failover loses a write that a queue has seen. Requests that loaded the session after it are right, and inherit nothing
/// of before from the queue.
#[tokio::test(start_paused = true)]
async fn whoever_loads_a_session_after_a_failover_is_not_stale() {
    let bench = Bench::new().await;
    let gate = Gate::new();
    bench.script([Act::After(set("x", "another's")), Act::At(gate.clone())]);
    let first = bench.spawn(add(1));
    gate.reached().await;
    // The store goes back to what it was before the write of another.
    let key = EntryKey::session(bench.id);
    let found = bench.store.store.load(&key).await.unwrap().unwrap();
    let removed = bench.store.store.remove(&key, found.generation().unwrap()).await.unwrap();
    assert_eq!(removed, RemoveOutcome::Removed);
    bench.store.store.insert(&key, &bench.held_entry()).await.unwrap();
    // These have loaded what is there now.
    let later: Vec<_> = (0..3).map(|_| bench.spawn(add(10))).collect();
    settle().await;
    gate.open();
    assert!(is_stale(&first.await.unwrap()), "it saw a write that is lost");
    for committing in later {
        let outcome = committing.await.unwrap();
        assert!(!is_stale(&outcome), "nothing of what it saw is lost");
    }
    assert_eq!(bench.number().await, 30);
}

/// "Rotation, login, renewal: done if the record's current hash is mine".
#[tokio::test(start_paused = true)]
async fn a_rotation_that_was_overtaken_before_it_was_looked_into_is_stale() {
    let bench = Bench::new().await;
    let another = Delta { generation: Generation::from_number(1), ..rotate(8) };
    bench.script([Act::LoseAnswer, Act::After(another)]);
    let outcome = bench.commit(rotate(5)).await;
    assert!(bench.stored().await.unwrap().header().secret == secret(8));
    assert!(is_stale(&outcome), "the secret that it is told to be done with opens nothing");
}

/// "Add and append: only when the revisions decide": they do where five others have written, since the record remembers
/// four revisions before its current one, and the one that was sent would be the first of them.
#[tokio::test(start_paused = true)]
async fn the_oldest_revision_that_is_remembered_decides_too() {
    let bench = Bench::new().await;
    bench.script([Act::LoseCall, Act::AfterAll(others(5, 0))]);
    let outcome = bench.commit(add(1)).await;
    assert!(outcome.is_ok(), "another revision stands where mine would");
    assert_eq!(bench.number().await, 1);
}

/// "the engine keeps every revision that it sent in this commit and compares each later `Changed` with them". A call whose
/// answer was lost is still under way when the store shows what is held, twice; it comes in before the next call.
#[tokio::test(start_paused = true)]
async fn a_call_that_comes_in_late_is_recognised_by_its_revision() {
    let bench = Bench::new().await;
    let gate = Gate::new();
    bench.script([Act::LoseCall, Act::Show(bench.held_entry()), Act::At(gate.clone())]);
    let committing = bench.spawn(add(1));
    gate.reached().await;
    let calls = bench.store.take_calls();
    let Some(super::bench::Call::Write { held: Some(held), bytes }) = calls.first().cloned() else {
        panic!("{calls:?}")
    };
    let late = Entry::new(bytes, std::time::Duration::from_secs(3600));
    let outcome = bench.store.store.replace(&EntryKey::session(bench.id), held, &late).await.unwrap();
    assert_eq!(outcome, crate::store::ReplaceOutcome::Replaced, "the first call comes in");
    gate.open();
    committing.await.unwrap().unwrap();
    assert_eq!(bench.number().await, 1, "[P2] counted once");
    let _ = NOW;
}

/// A change that was stored by the same call as a rotation is done if the rotation is.
#[tokio::test(start_paused = true)]
async fn whatever_was_stored_with_a_rotation_is_done_where_the_rotation_is() {
    let bench = Bench::new().await;
    let gate = Gate::new();
    bench.script([Act::After(set("x", "another's")), Act::At(gate.clone())]);
    let first = bench.spawn(add(1));
    gate.reached().await;
    let [before, rotation] = [bench.spawn(set("b", "1")), bench.spawn(rotate(9))];
    settle().await;
    bench.script([Act::LoseAnswer, Act::AfterAll(others(6, 1))]);
    gate.open();
    first.await.unwrap().unwrap();
    assert!(rotation.await.unwrap().is_ok());
    assert!(bench.stored().await.unwrap().field("b", NOW).is_some(), "it is stored");
    assert!(!is_stale(&before.await.unwrap()), "so it is not reported as discarded");
}

/// "the engine owns the call": a request that is not polled any more, because its thread is busy, holds up nobody.
#[tokio::test(start_paused = true)]
async fn a_request_that_is_not_polled_holds_nobody_up() {
    let bench = Bench::new().await;
    let gate = Gate::new();
    bench.script([Act::After(set("x", "another's")), Act::At(gate.clone())]);
    let mut stuck = Box::pin(bench.commit(add(10)));
    // It meets a conflict and begins the queue, and is not polled from then on.
    tokio::select! {
        () = gate.reached() => {}
        _ = &mut stuck => unreachable!("the gate is closed"),
    }
    let waiter = bench.spawn(add(100));
    settle().await;
    let begun = Instant::now();
    gate.open();
    assert_eq!(number(&waiter.await.unwrap().unwrap()), 110);
    assert_eq!(begun.elapsed(), Duration::ZERO, "nobody waited for a deadline");
    assert!(stuck.await.is_ok());
}

/// "Each delta has its own outcome": one is not refused because of another that comes to nothing. Here two are too large
/// together, and the store does not take the first.
#[tokio::test(start_paused = true)]
async fn what_is_refused_because_of_a_change_that_was_not_stored_is_not_too_large() {
    let bench = Bench::new().await;
    let gate = Gate::new();
    bench.script([Act::After(set("x", "another's")), Act::At(gate.clone()), Act::Fail]);
    let first = bench.spawn(add(1));
    gate.reached().await;
    let large = |key: &str| Delta { limit: 60, ..set(key, "thirty characters of some value") };
    let [one, other] = [bench.spawn(large("b")), bench.spawn(large("c"))];
    settle().await;
    gate.open();
    first.await.unwrap().unwrap();
    assert_eq!(super::bench::failure(one.await.unwrap()).status(), 503);
    if let Err(error) = other.await.unwrap() {
        let status = super::bench::failure(Err(error)).status();
        assert_eq!(status, 503, "alone it fits: nothing else was stored");
    }
}

/// The same of a login, which is refused, and loses its session, because of a revocation that did not happen.
#[tokio::test(start_paused = true)]
async fn a_login_is_not_refused_because_of_a_revocation_that_was_not_stored() {
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::time::Instant;

    use crate::devices::DeviceSelection;
    use crate::devices::list_change::{Addition, ListChange, ListChangeKind};
    use crate::engine::commit::CommitError;
    use crate::engine::document::{Document as _, Refusal};
    use crate::record::list::{ListEpoch, ListedSession, SessionList};
    use crate::token::SessionId;

    let bench = Bench::new().await;
    let key = EntryKey::session_list("Main", "ada");
    let old = SessionList::seal(SessionList::new("Main", "ada"), 1);
    let list = SessionList::seal(old.clone(), 2);
    bench.store.store.insert(&key, &list.entry(NOW)).await.unwrap();
    let commit = |held: &SessionList, kind: ListChangeKind| {
        let (bench, held) = (bench.clone(), held.clone());
        let change = Arc::new(ListChange { empty: SessionList::new("Main", "ada"), kind });
        tokio::spawn(async move {
            let end = Instant::now() + Duration::from_millis(500);
            bench.engine.commit_change(key, Some(held), change, end).await
        })
    };
    let listed = |number: u8| ListedSession {
        id: SessionId::from_bytes([number; 16]),
        is_ended: false,
        generation: Generation::default(),
        registered: NOW,
        until: NOW.saturating_add(Duration::from_secs(3600)),
    };
    let add = |number: u8| {
        let session = listed(number);
        ListChangeKind::Add(Addition { session, from: None, epoch: ListEpoch::default(), most: None, over: vec![] })
    };
    let gate = Gate::new();
    // The first one holds an older list, so it meets a conflict and heads a queue.
    bench.script([Act::Do, Act::At(gate.clone()), Act::Fail]);
    let first = commit(&old, add(1));
    gate.reached().await;
    let end = ListChangeKind::End { selection: DeviceSelection::All, ended: vec![listed(1)], epoch: ListEpoch([7; 8]) };
    let (revocation, login) = (commit(&list, end), commit(&list, add(2)));
    settle().await;
    gate.open();
    first.await.unwrap().unwrap();
    assert!(matches!(revocation.await.unwrap(), Err(CommitError::Failed(_))), "the store does not take it");
    let refused = matches!(login.await.unwrap(), Err(CommitError::Refused(Refusal::Stale)));
    assert!(!refused, "[P3] 409, and its session is removed, though nothing was revoked");
}
