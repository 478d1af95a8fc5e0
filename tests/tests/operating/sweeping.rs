//! Sweeping: in batches, once in each period, whatever the store answers.

use std::time::Duration;

use sessionkit::{SessionErrorKind, SessionManager};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::support::{Answer, Heard, ScriptedStore};

const PERIOD: Duration = Duration::from_secs(600);

fn removed(count: usize) -> Answer {
    Answer::Removed(count, Duration::ZERO)
}

fn manager() -> (ScriptedStore, SessionManager, Heard) {
    let (store, heard) = (ScriptedStore::default(), Heard::default());
    let manager = SessionManager::builder(store.clone()).event_sink(heard.clone()).build();
    (store, manager, heard)
}

/// Sweeps in a task; returns when that began.
fn spawn(manager: &SessionManager) -> (JoinHandle<()>, Instant) {
    (tokio::spawn(manager.sweep_every(PERIOD)), Instant::now())
}

#[tokio::test(start_paused = true)]
async fn a_pass_goes_on_until_a_batch_finds_nothing() {
    let (store, manager, heard) = manager();
    store.sweeps_answer([removed(500), removed(3), removed(0), removed(7)]);
    assert_eq!(manager.sweep().await.unwrap(), 503);
    assert_eq!(store.take_sweeps().len(), 3);
    assert_eq!(manager.sweep().await.unwrap(), 7);
    assert_eq!(store.take_sweeps().len(), 2);
    assert!(heard.take().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_pass_that_fails_says_why() {
    let (store, manager, _) = manager();
    store.sweeps_answer([removed(500), Answer::Failure]);
    assert_eq!(manager.sweep().await.unwrap_err().kind(), SessionErrorKind::StoreUnavailable);
    store.sweeps_answer([Answer::Silence]);
    let begun = Instant::now();
    assert_eq!(manager.sweep().await.unwrap_err().kind(), SessionErrorKind::StoreUnknown);
    assert_eq!(begun.elapsed().as_secs(), 30, "a store that hangs does not hang the program");
}

#[tokio::test(start_paused = true)]
async fn there_is_one_pass_in_each_period_and_the_first_at_a_random_time() {
    let mut first_passes = Vec::new();
    for _ in 0..20 {
        let (store, manager, _) = manager();
        store.sweeps_answer([removed(500), removed(0)]);
        let (task, begun) = spawn(&manager);
        sleep(3 * PERIOD).await;
        task.abort();
        let passes: Vec<u64> = store.take_sweeps().iter().map(|at| (*at - begun).as_secs()).collect();
        let (first, period) = (passes[0], PERIOD.as_secs());
        assert!(first <= period, "{passes:?}");
        assert_eq!(passes[1], first, "the same pass goes on");
        assert!((4..=5).contains(&passes.len()), "{passes:?}");
        assert!(passes[1..].windows(2).all(|pair| pair[1] - pair[0] == period), "{passes:?}");
        first_passes.push(first);
    }
    first_passes.sort_unstable();
    first_passes.dedup();
    assert!(first_passes.len() > 10, "{first_passes:?}");
}

#[tokio::test(start_paused = true)]
async fn a_pass_that_fails_is_told_once_and_the_next_one_tries_again() {
    let (store, manager, heard) = manager();
    store.sweeps_answer([Answer::Failure, removed(500), Answer::Silence, removed(1)]);
    let (task, _) = spawn(&manager);
    sleep(5 * PERIOD).await;
    let told: Vec<String> = heard.take().into_iter().map(|(name, ..)| name).collect();
    assert_eq!(told, ["sweep_failed", "sweep_failed"]);
    assert!(!task.is_finished());
    let sweeps = store.take_sweeps();
    assert!(sweeps.len() >= 5, "a failure, two batches, two more: {sweeps:?}");
}

#[tokio::test(start_paused = true)]
async fn a_pass_leaves_half_of_the_time_to_requests() {
    let (store, manager, _) = manager();
    let batch = Duration::from_millis(100);
    store.sweeps_answer([Answer::Removed(500, batch); 10]);
    let (_, begun) = spawn(&manager);
    sleep(2 * PERIOD).await;
    let sweeps: Vec<Instant> = store.take_sweeps().into_iter().take(11).collect();
    assert!(sweeps[0] - begun <= PERIOD);
    for pair in sweeps.windows(2) {
        let pause = pair[1] - pair[0];
        assert!((2 * batch..3 * batch).contains(&pause), "{pause:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn it_ends_when_the_server_drains() {
    let (store, manager, _) = manager();
    let (task, _) = spawn(&manager);
    sleep(PERIOD).await;
    assert!(!task.is_finished() && !store.take_sweeps().is_empty());
    manager.drain().await;
    task.await.unwrap();
    let (late, begun) = spawn(&manager);
    late.await.unwrap();
    assert_eq!((begun.elapsed(), store.take_sweeps().len()), (Duration::ZERO, 0));
}

#[tokio::test(start_paused = true)]
async fn a_pass_under_way_ends_with_its_batch_when_the_server_drains() {
    let (store, manager, _) = manager();
    store.sweeps_answer([Answer::Removed(500, Duration::from_secs(10)); 100]);
    let (task, _) = spawn(&manager);
    sleep(PERIOD).await;
    manager.drain().await;
    let begun = Instant::now();
    task.await.unwrap();
    assert!(begun.elapsed() <= Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn periods_are_a_second_at_least() {
    let (store, manager, _) = manager();
    let task = tokio::spawn(manager.sweep_every(Duration::ZERO));
    sleep(Duration::from_secs(10)).await;
    task.abort();
    assert!((9..=11).contains(&store.take_sweeps().len()));
}
