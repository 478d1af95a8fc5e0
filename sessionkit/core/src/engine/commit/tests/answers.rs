//! Answers that are lost: it may have happened.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::bench::{
    Act, Bench, Call, NOW, add, failure, header, is_stale, is_unknown, number, others, rotate, secret, set, touch,
};
use crate::devices::DeviceSelection;
use crate::devices::list_change::{ListChange, ListChangeKind};
use crate::engine::document::Document as _;
use crate::error::SessionErrorKind;
use crate::record::delta::{Delta, HeaderOp};
use crate::record::front::{EntryKind, Generation};
use crate::record::list::{ListEpoch, SessionList};
use crate::store::Store as _;
use crate::store::key::EntryKey;

/// Returns whether all calls sent the same bytes under the same revision.
fn are_alike(calls: &[Call]) -> bool {
    calls.iter().all(|call| *call == calls[0])
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_looked_into_with_the_same_bytes() {
    for (act, made) in [(Act::LoseAnswer, "done"), (Act::LoseCall, "not done")] {
        let bench = Bench::new().await;
        bench.script([act]);
        let committed = bench.commit(add(1)).await.unwrap();
        assert_eq!((bench.number().await, number(&committed)), (1, 1), "counted once where it was {made}");
        let calls = bench.store.take_calls();
        assert!(calls.len() == 2 && are_alike(&calls), "{calls:?}");
        assert_eq!(bench.events(), [""; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_wrote_since_changes_nothing_about_it() {
    // Done, and then another process wrote.
    let bench = Bench::new().await;
    bench.script([Act::LoseAnswer, Act::After(set("b", "another's"))]);
    let committed = bench.commit(add(1)).await.unwrap();
    assert_eq!((bench.number().await, number(&committed)), (1, 1), "done, so not counted again");
    assert!(committed.field("b", NOW).is_some(), "the newest record is returned");
    assert_eq!(bench.store.take_calls().len(), 2);

    // Not done, and then another process wrote.
    let bench = Bench::new().await;
    bench.script([Act::LoseCall, Act::After(add(10))]);
    bench.commit(add(1)).await.unwrap();
    assert_eq!(bench.number().await, 11, "not done, so counted now");
    let calls = bench.store.take_calls();
    assert!(calls.len() == 3 && are_alike(&calls[..2]) && calls[2] != calls[0], "{calls:?}");

    // As many writes as a record remembers.
    let bench = Bench::new().await;
    bench.script([Act::LoseAnswer, Act::AfterAll(others(4, 0))]);
    bench.commit(add(1)).await.unwrap();
    assert_eq!((bench.number().await, bench.store.take_calls().len()), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_shows_what_is_held_decides_nothing() {
    let bench = Bench::new().await;
    bench.script([Act::LoseAnswer, Act::Show(bench.held_entry())]);
    bench.commit(add(1)).await.unwrap();
    assert_eq!(bench.number().await, 1, "it was done before, and is not counted again");
}

#[tokio::test(start_paused = true)]
async fn what_can_be_repeated_is_where_too_much_was_written_since() {
    for act in [Act::LoseAnswer, Act::LoseCall] {
        let bench = Bench::new().await;
        bench.script([act, Act::AfterAll(others(6, 0))]);
        bench.commit(set("b", "1")).await.unwrap();
        assert!(bench.stored().await.unwrap().field("b", NOW).is_some_and(|value| value.bytes == b"1"));
    }
    for (act, expected) in [(Act::LoseAnswer, 1), (Act::LoseCall, 0)] {
        let bench = Bench::new().await;
        bench.script([act, Act::AfterAll(others(6, 0))]);
        assert!(is_unknown(bench.commit(add(1)).await), "nobody knows whether it was counted");
        assert_eq!(bench.number().await, expected, "so it is not counted again");
    }
}

fn renew_and_set() -> Delta {
    let renew = HeaderOp::Renew { if_current: secret(0), secret: secret(5), at: NOW };
    Delta { header: vec![renew], ..add(0) }
}

#[tokio::test(start_paused = true)]
async fn a_secret_tells_whether_a_rotation_or_renewal_happened() {
    for delta in [rotate(5), Delta { header: rotate(5).header, ..add(1) }] {
        let bench = Bench::new().await;
        bench.script([Act::LoseAnswer, Act::AfterAll(others(6, 1))]);
        let committed = bench.commit(delta).await.unwrap();
        assert!(committed.header().secret == secret(5), "its secret is current, so it happened");
        assert_eq!(bench.store.take_calls().len(), 2);
    }

    let bench = Bench::new().await;
    bench.script([Act::LoseCall, Act::AfterAll(others(6, 0))]);
    assert!(is_stale(&bench.commit(rotate(5)).await), "another secret is current, and nothing says that it was mine");
    assert!(bench.stored().await.unwrap().header().secret == secret(0));

    for act in [Act::LoseAnswer, Act::LoseCall] {
        let bench = Bench::new().await;
        bench.script([act, Act::AfterAll(others(6, 0))]);
        let committed = bench.commit(renew_and_set()).await.unwrap();
        assert!(committed.header().secret == secret(5));
        assert!(committed.header().previous.is_some_and(|previous| previous.secret == secret(0)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_touch_is_not_looked_into() {
    let renew = header([HeaderOp::Renew { if_current: secret(0), secret: secret(5), at: NOW }]);
    for delta in [touch(), renew] {
        let bench = Bench::new().await;
        bench.script([Act::LoseAnswer]);
        assert!(is_unknown(bench.commit(delta).await));
        assert_eq!(bench.store.take_calls().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_come_is_lost_while_there_is_time() {
    let bench = Bench::new().await;
    bench.script([Act::Never]);
    let begun = Instant::now();
    bench.commit(add(1)).await.unwrap();
    assert_eq!(bench.number().await, 1);
    assert!(begun.elapsed() < bench.engine.settings().commit_deadline, "{:?}", begun.elapsed());

    let bench = Bench::new().await;
    bench.script([Act::Never, Act::Never, Act::Never]);
    let begun = Instant::now();
    assert!(is_unknown(bench.commit(add(1)).await));
    let (took, deadline) = (begun.elapsed(), bench.engine.settings().commit_deadline);
    assert!(took >= deadline && took < deadline + Duration::from_millis(5), "{took:?}");
    let calls = bench.store.take_calls();
    assert!(calls.len() == 2 && are_alike(&calls), "{calls:?}");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_back_within_the_deadline_costs_nothing() {
    let bench = Bench::new().await;
    bench.script([Act::LoseAnswer, Act::Fail, Act::Fail, Act::LoseCall]);
    bench.commit(add(1)).await.unwrap();
    assert_eq!(bench.number().await, 1);

    let bench = Bench::new().await;
    bench.script([Act::LoseAnswer].into_iter().chain((0..5000).map(|_| Act::Fail)));
    let error = failure(bench.commit(add(1)).await);
    assert_eq!(error.kind(), SessionErrorKind::StoreUnknown, "it never came to light");
}

#[tokio::test(start_paused = true)]
async fn the_first_write_of_a_list_is_made_once() {
    for act in [Act::LoseAnswer, Act::LoseCall] {
        let bench = Bench::new().await;
        bench.script([act]);
        let (key, empty) = (EntryKey::session_list("Main", "ada"), SessionList::new("Main", "ada"));
        let kind = ListChangeKind::End { selection: DeviceSelection::All, ended: vec![], epoch: ListEpoch([7; 8]) };
        let change = Arc::new(ListChange { empty, kind });
        let deadline = &mut bench.engine.commit_deadline();
        let list = bench.engine.commit_change(key, None, change, deadline.end()).await.unwrap();
        assert_eq!((list.epoch, list.history().revision.counter()), (ListEpoch([7; 8]), 1));
        let writes: Vec<_> = bench.store.take_calls().into_iter().filter(|call| *call != Call::Load).collect();
        assert!(writes.len() == 2 && are_alike(&writes), "{writes:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_begins_under_another_id_where_the_answer_is_lost() {
    for act in [Act::LoseAnswer, Act::LoseCall] {
        let bench = Bench::new().await;
        bench.script([act]);
        let deadline = &mut bench.engine.commit_deadline();
        let delta = |_: &_| Delta::new(Generation::default());
        let (token, record) = bench.engine.begin_record(delta, true, deadline).await.unwrap().unwrap();
        let calls = bench.store.take_calls();
        assert!(calls.len() == 2 && !are_alike(&calls), "{calls:?}");
        // What may be stored of the first one goes meanwhile.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let page = bench.store.store.scan(EntryKind::Session, None, 10).await.unwrap();
        let begun: Vec<_> = page.entries.into_iter().filter(|(key, _)| *key != EntryKey::session(bench.id)).collect();
        assert_eq!(begun.len(), 1, "{begun:?}");
        assert_eq!(begun[0].0, EntryKey::session(token.id()));
        assert_eq!(begun[0].1.bytes(), &record.as_bytes()[..]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_id_that_is_taken_stays_another_sessions() {
    let bench = Bench::new().await;
    let (record, deadline) = (bench.held.sealed(9), &mut bench.engine.commit_deadline());
    assert!(!bench.engine.insert_record(bench.id, &record, deadline).await.unwrap());
    assert_eq!(bench.stored().await.unwrap().as_bytes(), bench.held.as_bytes());
}
