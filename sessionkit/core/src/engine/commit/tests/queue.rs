//! Requests of one process that change one session at once.

use std::time::Duration;

use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;

use super::bench::{
    Act, Bench, Gate, NOW, add, failure, is_gone, is_stale, is_unknown, number, others, panicking, rotate, secret, set,
};
use crate::engine::commit::CommitError;
use crate::record::Record;
use crate::record::delta::Delta;
use crate::store::key::EntryKey;

type Committing = JoinHandle<Result<Record, CommitError>>;

/// Begins a commit that has met a conflict, and began a queue, whose call waits until the gate is open.
async fn head(bench: &Bench, delta: Delta) -> (Gate, Committing) {
    let gate = Gate::new();
    bench.script([Act::After(set("x", "another's")), Act::At(gate.clone())]);
    let head = bench.spawn(delta);
    gate.reached().await;
    bench.store.take_calls();
    (gate, head)
}

/// Lets everybody go as far as they can without the time going on.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn two_hundred_additions_at_once_all_count() {
    let bench = Bench::new().await;
    let mut tasks = JoinSet::new();
    for _ in 0..200 {
        let bench = bench.clone();
        tasks.spawn(async move { bench.commit(add(1)).await });
    }
    let outcomes = tasks.join_all().await;
    assert!(outcomes.iter().all(Result::is_ok), "[P2] all are acknowledged");
    assert_eq!(bench.number().await, 200, "[P2] all are counted");
    // Each tries once by itself, and the first of those that were refused commits for all of them.
    let calls = bench.store.take_calls().len();
    assert!(calls <= 202, "{calls} calls");
    assert!(!bench.engine.records.has(&EntryKey::session(bench.id)), "the queue is gone");
}

#[tokio::test(start_paused = true)]
async fn two_hundred_fields_at_once_are_all_kept_by_several_processes() {
    let begun = Instant::now();
    let bench = Bench::new().await;
    let processes = [bench.clone(), bench.another(), bench.another()];
    let mut tasks = JoinSet::new();
    for number in 0..200 {
        let process = processes[number % 3].clone();
        tasks.spawn(async move { process.commit(set(&format!("f{number}"), "1")).await });
    }
    let outcomes = tasks.join_all().await;
    assert!(outcomes.iter().all(Result::is_ok), "[P2] all are acknowledged");
    assert_eq!(bench.fields().await.len(), 201, "[P2] all are kept");
    let calls = bench.store.take_calls().len();
    assert!(calls <= 230, "{calls} calls");
    assert!(begun.elapsed() < Duration::from_millis(100), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn whoever_comes_while_there_is_a_queue_makes_no_call() {
    let bench = Bench::new().await;
    let (gate, first) = head(&bench, add(1)).await;
    let others: Vec<_> = (0..10).map(|_| bench.spawn(add(1))).collect();
    settle().await;
    assert_eq!(bench.store.take_calls().len(), 0, "they wait");
    gate.open();
    assert_eq!(number(&first.await.unwrap().unwrap()), 1);
    for other in others {
        assert_eq!(number(&other.await.unwrap().unwrap()), 11, "each is told what was stored");
    }
    assert_eq!(bench.store.take_calls().len(), 1, "one call for all of them");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_done_is_left_out_of_the_batch() {
    let stale = Delta { generation: rotate(0).generation.next(), ..set("s", "1") };
    let large = Delta { limit: 10, ..set("l", "a value that is too long for the limit") };
    let orders: [&[usize]; 4] = [&[0, 1, 2, 3, 4], &[4, 3, 2, 1, 0], &[1, 2, 3, 0, 4], &[0, 4, 1, 2, 3]];
    for order in orders {
        let bench = Bench::new().await;
        let (gate, first) = head(&bench, add(1)).await;
        let deltas = [add(1), stale.clone(), large.clone(), panicking(), set("b", "1")];
        let waiting: Vec<_> = order.iter().map(|at| (*at, bench.spawn(deltas[*at].clone()))).collect();
        settle().await;
        gate.open();
        first.await.unwrap().unwrap();
        let before = bench.number().await;
        for (at, committing) in waiting {
            let outcome = committing.await.unwrap();
            match at {
                0 | 4 => assert!(outcome.is_ok_and(|record| record.field("b", NOW).is_some()), "{order:?}"),
                1 => assert!(is_stale(&outcome), "{order:?}"),
                2 => assert!(failure(outcome).to_string().contains("max_record_size"), "{order:?}"),
                _ => assert!(failure(outcome).to_string().contains("panicked"), "{order:?}"),
            }
        }
        assert_eq!(bench.number().await, before + 1, "{order:?}");
        assert_eq!(bench.store.take_calls().len(), 1, "{order:?}: one call for those that can be done");
    }
}

#[tokio::test(start_paused = true)]
async fn what_changes_nothing_more_is_done_with_the_others() {
    let bench = Bench::new().await;
    let (gate, first) = head(&bench, add(1)).await;
    let waiting = [set("b", "1"), set("b", "1"), set("a", "0"), set("a", "0")].map(|delta| bench.spawn(delta));
    settle().await;
    gate.open();
    first.await.unwrap().unwrap();
    for committing in waiting {
        let record = committing.await.unwrap().unwrap();
        assert_eq!(record.as_bytes(), bench.stored().await.unwrap().as_bytes());
    }
    assert_eq!((bench.number().await, bench.store.take_calls().len()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_rotation_is_the_last_of_its_batch() {
    let bench = Bench::new().await;
    let (gate, first) = head(&bench, add(1)).await;
    let [before, rotation, after, late] =
        [set("b", "1"), rotate(9), set("c", "1"), rotate(8)].map(|delta| bench.spawn(delta));
    settle().await;
    gate.open();
    first.await.unwrap().unwrap();
    assert!(before.await.unwrap().is_ok_and(|record| record.field("b", NOW).is_some()));
    assert!(rotation.await.unwrap().is_ok_and(|record| record.header().secret == secret(9)));
    assert!(is_stale(&after.await.unwrap()), "[P3] it was loaded under the old generation");
    assert!(is_stale(&late.await.unwrap()), "[P3] of two rotations one wins");
    let stored = bench.stored().await.unwrap();
    assert!(stored.header().secret == secret(9) && stored.field("c", NOW).is_none());
    assert_eq!(bench.store.take_calls().len(), 1);
}

/// Its document is newer than what is there, so it is the one that the batch is applied to first.
#[tokio::test(start_paused = true)]
async fn a_head_that_saw_what_the_store_has_lost_is_stale_alone() {
    let bench = Bench::new().await;
    let (gate, first) = head(&bench, add(1)).await;
    let mut late = bench.clone();
    for random in 0..9 {
        late.held = late.held.sealed(random);
    }
    let late = late.spawn(add(100));
    settle().await;
    let others: Vec<_> = (0..3).map(|_| bench.spawn(add(10))).collect();
    settle().await;
    gate.open();
    first.await.unwrap().unwrap();
    assert!(is_stale(&late.await.unwrap()), "what it saw is lost");
    for other in others {
        assert_eq!(number(&other.await.unwrap().unwrap()), 31, "what they saw is there");
    }
}

/// Otherwise it would be told that nothing happened.
#[tokio::test(start_paused = true)]
async fn whoever_gives_up_after_a_lost_answer_does_not_know_what_came_of_it() {
    let bench = Bench::new().await;
    bench.script([Act::LoseCall].into_iter().chain((0..5000).map(|_| Act::Show(bench.held_entry()))));
    assert!(is_unknown(bench.commit(add(1)).await), "the call whose answer was lost may still come in");

    // One that cannot have been done is forgotten.
    let bench = Bench::new().await;
    bench.script([Act::LoseCall, Act::After(add(10)), Act::AfterAll(others(6, 0))]);
    bench.commit(add(1)).await.unwrap();
    assert_eq!(bench.number().await, 11);
}

#[tokio::test(start_paused = true)]
async fn changes_are_made_in_the_order_in_which_they_came() {
    let bench = Bench::new().await;
    let (gate, first) = head(&bench, set("a", "first")).await;
    // The head of the next batch meets a conflict too, while others come.
    let second_gate = Gate::new();
    bench.script([Act::At(second_gate.clone())]);
    let second = bench.spawn(set("a", "second"));
    settle().await;
    gate.open();
    second_gate.reached().await;
    bench.another_does(set("y", "another's")).await;
    let third = bench.spawn(set("a", "third"));
    settle().await;
    second_gate.open();
    for committing in [first, second, third] {
        committing.await.unwrap().unwrap();
    }
    let stored = bench.stored().await.unwrap();
    assert!(stored.field("a", NOW).is_some_and(|value| value.bytes == b"third"));
}

#[tokio::test(start_paused = true)]
async fn a_waiter_gives_up_at_its_deadline() {
    let bench = Bench::new().await;
    let (gate, first) = head(&bench, add(1)).await;
    let begun = Instant::now();
    let waiter = bench.spawn_within(add(100), Duration::from_millis(50));
    let patient = bench.spawn(add(1000));
    let error = failure(waiter.await.unwrap());
    assert_eq!((error.status(), begun.elapsed()), (409, Duration::from_millis(50)), "{error}");
    gate.open();
    first.await.unwrap().unwrap();
    patient.await.unwrap().unwrap();
    assert_eq!(bench.number().await, 1001, "what was given up is not done later");
}

#[tokio::test(start_paused = true)]
async fn a_waiter_whose_change_is_in_a_call_stays_for_the_answer() {
    let bench = Bench::new().await;
    let (gate, first) = head(&bench, add(1)).await;
    let second_gate = Gate::new();
    bench.script([Act::At(second_gate.clone())]);
    // The head of the second batch has time, and the other one of it has not.
    let second = bench.spawn(add(10));
    settle().await;
    let hasty = bench.spawn_within(add(100), Duration::from_millis(50));
    settle().await;
    gate.open();
    second_gate.reached().await;
    tokio::time::sleep(Duration::from_millis(80)).await;
    assert!(!hasty.is_finished(), "its change may happen");
    second_gate.open();
    assert_eq!(number(&hasty.await.unwrap().unwrap()), 111);
    second.await.unwrap().unwrap();
    first.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_waiter_whose_deadline_has_passed_is_in_no_further_call() {
    let bench = Bench::new().await;
    let (gate, first) = head(&bench, add(1)).await;
    let second_gate = Gate::new();
    bench.script([Act::At(second_gate.clone())]);
    let second = bench.spawn(add(10));
    settle().await;
    let hasty = bench.spawn_within(add(100), Duration::from_millis(50));
    settle().await;
    gate.open();
    second_gate.reached().await;
    // The call meets a conflict when the deadline has passed.
    tokio::time::sleep(Duration::from_millis(80)).await;
    bench.another_does(set("y", "another's")).await;
    second_gate.open();
    assert_eq!(failure(hasty.await.unwrap()).status(), 409);
    second.await.unwrap().unwrap();
    first.await.unwrap().unwrap();
    assert_eq!(bench.number().await, 11);
}

#[tokio::test(start_paused = true)]
async fn the_engine_commits_for_a_request_that_has_left() {
    let bench = Bench::new().await;
    let (gate, first) = head(&bench, add(1)).await;
    let second_gate = Gate::new();
    bench.script([Act::At(second_gate.clone())]);
    let waiting: Vec<_> = (0..3).map(|_| bench.spawn(add(10))).collect();
    settle().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    gate.open();
    second_gate.reached().await;
    let last = bench.spawn(add(100));
    settle().await;
    waiting[0].abort();
    second_gate.open();
    for committing in waiting.into_iter().skip(1) {
        committing.await.unwrap().unwrap();
    }
    last.await.unwrap().unwrap();
    assert_eq!(bench.number().await, 131, "who leaves takes nothing away from others, and nothing back");
    assert!(!bench.engine.records.has(&EntryKey::session(bench.id)), "the queue is gone");
}

#[tokio::test(start_paused = true)]
async fn who_waits_behind_the_rotation_of_a_request_that_has_left_is_stale() {
    let bench = Bench::new().await;
    let (gate, first) = head(&bench, add(1)).await;
    let second_gate = Gate::new();
    bench.script([Act::At(second_gate.clone())]);
    let [rotation, behind] = [bench.spawn(rotate(9)), bench.spawn(add(10))];
    settle().await;
    gate.open();
    first.await.unwrap().unwrap();
    second_gate.reached().await;
    rotation.abort();
    second_gate.open();
    assert!(is_stale(&behind.await.unwrap()), "the rotation was stored");
    assert_eq!(bench.number().await, 1);
}

/// A server with several runtimes, as that of actix-web is, may end one of them first.
#[tokio::test]
async fn a_queue_outlives_the_runtime_that_commits_for_it() {
    /// Time goes on by itself: the other runtime does not wait for this one.
    const PATIENCE: Duration = Duration::from_secs(60);

    let bench = Bench::new().await;
    let gate = Gate::new();
    bench.script([Act::After(set("x", "another's")), Act::At(gate.clone())]);
    let another = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let beginning = bench.clone();
    let first = another.spawn(async move { beginning.commit_within(add(1), PATIENCE).await });
    gate.reached().await;
    let waiting: Vec<_> = (0..3).map(|_| bench.spawn_within(add(10), PATIENCE)).collect();
    settle().await;
    another.shutdown_background();
    assert!(first.await.unwrap_err().is_cancelled());
    for committing in waiting {
        committing.await.unwrap().unwrap();
    }
    assert_eq!(bench.number().await, 30, "one of those who waited took over");
    assert!(!bench.engine.records.has(&EntryKey::session(bench.id)), "the queue is gone");
}

#[tokio::test(start_paused = true)]
async fn a_session_that_ends_ends_the_whole_queue() {
    let bench = Bench::new().await;
    let (gate, first) = head(&bench, add(1)).await;
    bench.script([Act::AfterTheEnd]);
    let waiting: Vec<_> = (0..3).map(|_| bench.spawn(add(10))).collect();
    settle().await;
    gate.open();
    first.await.unwrap().unwrap();
    for committing in waiting {
        assert!(is_gone(&committing.await.unwrap()));
    }
    assert!(bench.stored().await.is_none(), "[P1] nothing brings it back");
    assert_eq!(bench.store.take_calls().len(), 1);
}
