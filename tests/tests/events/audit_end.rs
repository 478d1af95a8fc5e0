//! The end of an application whose audit log does not work: it is tried a few times more, without pauses.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sessionkit::{AuditEntry, AuditLog, AuditSink, MemoryStore, SessionManager};
use tokio::sync::Semaphore;
use tokio::time::Instant;

/// Counts how often it is asked, and never takes anything.
#[derive(Clone)]
struct Broken {
    attempts: Arc<AtomicUsize>,
    attempted: Arc<Semaphore>,
    hangs: bool,
}

impl AuditLog for Broken {
    type Error = &'static str;

    async fn append(&self, _: &[AuditEntry]) -> Result<(), &'static str> {
        self.attempts.fetch_add(1, Ordering::SeqCst);
        self.attempted.add_permits(1);
        if self.hangs { std::future::pending().await } else { Err("no room") }
    }
}

/// Returns the number of attempts until the end, and the time that `drain` takes after the first of them.
async fn end(hangs: bool) -> (usize, Duration) {
    let log = Broken { attempts: Arc::default(), attempted: Arc::new(Semaphore::new(0)), hangs };
    let manager = SessionManager::builder(MemoryStore::new()).event_sink(AuditSink::new(log.clone())).build();
    manager.open().auth().login("ada").await.expect("the store works");
    log.attempted.acquire().await.expect("it stays open").forget();
    // The writer begins its pause.
    tokio::task::yield_now().await;
    let began = Instant::now();
    manager.drain().await;
    (log.attempts.load(Ordering::SeqCst), began.elapsed())
}

#[tokio::test(start_paused = true)]
async fn a_log_that_fails_is_tried_three_times_by_each_who_waits_without_a_pause() {
    let (attempts, took) = end(false).await;
    assert_eq!((attempts, took.as_millis()), (6, 0), "by the one who was at it, and by the one who drains");
}

#[tokio::test(start_paused = true)]
async fn a_log_that_hangs_has_ten_seconds_each_time() {
    let (attempts, took) = end(true).await;
    assert!(attempts == 6 && took.as_secs().abs_diff(60) <= 1, "{attempts} {took:?}");
}
