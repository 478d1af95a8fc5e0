//! An audit log that is slow, full, broken, or cut off.

use std::future::{IntoFuture as _, pending};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::header::HeaderMap;
use sessionkit::{AuditEntry, AuditLog, AuditSink, MemoryStore, SessionManager};
use sessionkit_core::RequestHead;
use sessionkit_core::adapter::RequireLogin;
use sessionkit_tests::harness::{Gates, Log};

use crate::support::Trail;

/// The behaviour of a log when it gets a batch.
#[derive(Clone, Copy, Debug)]
enum Does {
    Keep,
    Wait,
    Fail,
    Panic,
    PanicLater,
    Hang,
}

/// A log that does what it is told, and then keeps everything.
#[derive(Clone)]
struct Moody {
    trail: Trail,
    gates: Gates,
    moods: Arc<Mutex<Vec<Does>>>,
    calls: Arc<AtomicUsize>,
}

impl Moody {
    fn new(moods: &[Does]) -> Self {
        let moods = Arc::new(Mutex::new(moods.iter().rev().copied().collect()));
        Self { trail: Trail::default(), gates: Gates::default(), moods, calls: Arc::default() }
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

impl AuditLog for Moody {
    type Error = String;

    fn append(&self, entries: &[AuditEntry]) -> impl Future<Output = Result<(), String>> + Send {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let mood = self.moods.lock().expect("no holder panics").pop().unwrap_or(Does::Keep);
        assert!(!matches!(mood, Does::Panic), "a log panics");
        async move {
            match mood {
                Does::Wait => self.gates.pass("append").await,
                Does::Fail => return Err("the disk is full".to_owned()),
                Does::PanicLater => panic!("a log panics later"),
                Does::Hang => pending().await,
                Does::Keep | Does::Panic => {}
            }
            self.trail.append(entries).await
        }
    }
}

fn manager(sink: AuditSink) -> SessionManager {
    SessionManager::builder(MemoryStore::new()).event_sink(sink).build()
}

async fn logins(manager: &SessionManager, numbers: std::ops::Range<u32>) {
    for number in numbers {
        manager.open().auth().login(number).await.expect("the store answers");
    }
}

fn lines(numbers: std::ops::Range<u32>) -> Vec<String> {
    numbers.map(|number| format!("login {number}")).collect()
}

#[tokio::test]
async fn batches_are_appended_one_after_the_other() {
    let log = Moody::new(&[Does::Wait]);
    let manager = manager(AuditSink::new(log.clone()));
    logins(&manager, 0..1).await;
    log.gates.arrived("append", 1).await;
    logins(&manager, 1..351).await;
    assert_eq!(log.calls(), 1, "the others wait");
    log.gates.open("append", 1);
    manager.drain().await;
    assert_eq!(log.trail.lines(), lines(0..351));
    assert_eq!(log.calls(), 5, "one, and four batches of at most a hundred");
}

#[tokio::test]
async fn a_log_may_be_shared_with_the_application() {
    let log = Arc::new(Moody::new(&[]));
    let manager = manager(AuditSink::new(Arc::clone(&log)));
    logins(&manager, 0..3).await;
    manager.drain().await;
    assert_eq!(log.trail.lines(), lines(0..3));
}

#[tokio::test]
async fn what_finds_no_room_is_counted_in_the_trail_and_reported() {
    let (log, report) = (Moody::new(&[Does::Wait]), Log::collect());
    let manager = manager(AuditSink::new(log.clone()).capacity(10));
    logins(&manager, 0..1).await;
    log.gates.arrived("append", 1).await;
    logins(&manager, 1..31).await;
    log.gates.open("append", 1);
    manager.drain().await;
    logins(&manager, 31..32).await;
    manager.drain().await;
    let expected = [lines(0..10), vec!["entries_lost -".to_owned()], lines(31..32)].concat();
    assert_eq!(log.trail.lines(), expected);
    let lost: Vec<u64> = log.trail.entries().iter().map(|entry| entry.lost).filter(|lost| *lost > 0).collect();
    assert_eq!(lost, [21]);
    assert!(report.text().contains("event=\"audit_overflow\" capacity=10"), "{}", report.text());
}

#[tokio::test]
async fn an_overflow_at_the_very_end_stands_in_the_trail_too() {
    let log = Moody::new(&[Does::Wait]);
    let manager = manager(AuditSink::new(log.clone()).capacity(1));
    logins(&manager, 0..1).await;
    log.gates.arrived("append", 1).await;
    logins(&manager, 1..3).await;
    log.gates.open("append", 1);
    manager.drain().await;
    assert_eq!(log.trail.lines(), ["login 0", "entries_lost -"]);
    assert_eq!(log.trail.entries()[1].lost, 2);
}

#[tokio::test]
async fn visitors_who_are_nobody_push_nobody_out_of_the_trail() {
    let log = Moody::new(&[Does::Wait]);
    let manager = manager(AuditSink::new(log.clone()).capacity(8));
    logins(&manager, 0..1).await;
    log.gates.arrived("append", 1).await;
    let headers = HeaderMap::new();
    let vault = RequestHead::new("GET", "/vault", &headers);
    for _ in 0..50 {
        let refused = sessionkit_core::adapter::guard::<RequireLogin>(&manager.open(), &vault).await;
        assert!(refused.is_err());
    }
    logins(&manager, 1..3).await;
    log.gates.open("append", 1);
    manager.drain().await;
    let denied = vec!["denied -".to_owned(); 3];
    let expected = [lines(0..1), denied, vec!["entries_lost -".to_owned()], lines(1..3)].concat();
    assert_eq!(log.trail.lines(), expected);
    assert_eq!(log.trail.entries()[4].lost, 47);
}

#[tokio::test(start_paused = true)]
async fn a_log_that_fails_is_tried_again() {
    let report = Log::collect();
    for (mood, text) in [
        (Does::Fail, "the disk is full"),
        (Does::Panic, "it panicked"),
        (Does::PanicLater, "it panicked"),
        (Does::Hang, "no answer within 10 seconds"),
    ] {
        let log = Moody::new(&[mood, mood, mood, mood, mood]);
        let manager = manager(AuditSink::new(log.clone()));
        logins(&manager, 0..150).await;
        while log.trail.entries().len() < 150 {
            tokio::time::advance(Duration::from_millis(50)).await;
            tokio::task::yield_now().await;
        }
        assert_eq!(log.trail.lines(), lines(0..150), "{mood:?}: everything once, in order");
        assert_eq!(log.calls(), 7, "{mood:?}");
        assert!(report.text().contains(&format!("event=\"audit_failed\" error={text}")), "{}", report.text());
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_for_the_end_does_not_wait_for_a_broken_log() {
    let (log, report) = (Moody::new(&[Does::Fail; 9]), Log::collect());
    let manager = manager(AuditSink::new(log.clone()));
    logins(&manager, 0..3).await;
    manager.drain().await;
    assert!(report.text().contains("event=\"audit_unwritten\" left=3"), "{}", report.text());
    assert_eq!(log.trail.lines(), [""; 0]);
    assert!(log.calls() < 9, "{}", log.calls());
    log.moods.lock().expect("no holder panics").clear();
    logins(&manager, 3..4).await;
    manager.drain().await;
    assert_eq!(log.trail.lines(), lines(0..4), "nothing is lost when the log works again");
}

#[tokio::test]
async fn drain_hurries_a_log_that_pauses_after_failures() {
    let log = Moody::new(&[Does::Fail; 4]);
    let manager = manager(AuditSink::new(log.clone()));
    logins(&manager, 0..1).await;
    while log.calls() < 2 {
        tokio::task::yield_now().await;
    }
    manager.drain().await;
    manager.drain().await;
    assert_eq!(log.trail.lines(), lines(0..1));
}

#[test]
fn what_a_runtime_left_behind_is_written_by_the_next() {
    let log = Moody::new(&[Does::Wait]);
    let manager = manager(AuditSink::new(log.clone()));
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let short = runtime();
    short.block_on(async {
        logins(&manager, 0..5).await;
        log.gates.arrived("append", 1).await;
    });
    drop(short);
    assert_eq!(log.trail.lines(), [""; 0]);
    runtime().block_on(manager.drain());
    assert_eq!(log.trail.lines(), lines(0..5));
}

#[test]
fn what_happens_outside_of_a_runtime_is_kept_for_the_next_one() {
    let log = Moody::new(&[]);
    let manager = manager(AuditSink::new(log.clone()).keeping(|event| event.kind().name() == "uncommitted"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let handle = runtime.block_on(async {
        let session = manager.open();
        session.auth().login("ada").into_future().await.expect("the store answers");
        let handle = session.handle().await.expect("the store answers");
        let _ = manager.close(&session, 200).await;
        handle.dynamic().await.expect("the store answers").insert("a", &1).expect("a number");
        handle
    });
    drop(handle);
    runtime.block_on(manager.drain());
    assert_eq!(log.trail.lines(), ["uncommitted ada"]);
}

#[tokio::test]
async fn the_application_chooses_what_is_kept() {
    let log = Moody::new(&[]);
    let manager = manager(AuditSink::new(log.clone()).keeping(|event| event.user_id() == Some("7")));
    logins(&manager, 0..20).await;
    manager.drain().await;
    assert_eq!(log.trail.lines(), ["login 7"]);
}
