//! The audit trail in a table.

use std::time::Duration;

use sessionkit::sql::{SqlAuditLog, SqliteStore};
use sessionkit::testing::{ManualClock, TestSession};
use sessionkit::{AuditLog as _, AuditSink, SessionConfig, SessionManager};
use sessionkit_tests::harness::audit::{append_unanswered, logins};
use sessionkit_tests::servers::sqlite::SqliteFile;
use sqlx::SqlitePool;

use crate::support::{log_in, log_out};

/// A manager that keeps sessions and trail in one database.
async fn manager(file: &SqliteFile, clock: &ManualClock) -> (SessionManager, SqlitePool) {
    let pool = file.pool().await;
    let (store, log) = (SqliteStore::new(pool.clone()), SqlAuditLog::new(pool.clone()));
    store.create_schema().await.unwrap();
    log.create_schema().await.unwrap();
    let config = SessionConfig::builder().track_devices(true).build().unwrap();
    let builder = SessionManager::builder(store).config(config).clock(clock.clone()).event_sink(AuditSink::new(log));
    (builder.build(), pool)
}

type Line = (i64, String, Option<String>, Option<String>, Option<String>);

async fn trail(pool: &SqlitePool, what: &'static str) -> Vec<Line> {
    sqlx::query_as(what).fetch_all(pool).await.unwrap()
}

/// Row 18 of the list of systems: database sessions with an audit trail. It asks what people ask.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_18_who_was_logged_in_when_from_which_device_and_who_ended_it() {
    let (file, clock) = (SqliteFile::new(), ManualClock::new());
    let (manager, pool) = manager(&file, &clock).await;
    let began = sessionkit::Clock::now(&clock).unix_seconds() as i64;
    let minute = Duration::from_secs(60);
    let laptop = TestSession::new(&manager).login("ada").device_label("laptop").await;
    clock.advance(minute);
    let bob = log_in(&manager, "bob", "tablet").await;
    clock.advance(minute);
    log_out(&manager, &bob).await;
    clock.advance(minute);
    manager.devices_of("ada").end_all().await.unwrap();
    manager.drain().await;
    assert!(laptop.is_over().await);

    let everything = "SELECT happened_at, event, user_id, device_label, reason FROM sessionkit_audit ORDER BY id";
    let lines = trail(&pool, everything).await;
    let ended = "ended from the list of devices";
    let line = |minutes: i64, event: &str, user: &str, device: Option<&str>, reason: Option<&str>| -> Line {
        (began + 60 * minutes, event.into(), Some(user.into()), device.map(Into::into), reason.map(Into::into))
    };
    assert_eq!(lines[0], line(0, "login", "ada", Some("laptop"), None));
    assert_eq!(lines[1], line(1, "login", "bob", Some("tablet"), None));
    assert_eq!(lines[2], line(2, "logout", "bob", Some("tablet"), None));
    assert_eq!(lines[3], line(3, "revoked", "ada", None, Some(ended)));
    assert_eq!(lines.len(), 4);

    // Who was logged in, from which device, from when to when, and how did it end?
    let stays = "SELECT login.happened_at, login.user_id, login.device_label, COALESCE(ended.event, ''), ended.reason \
                 FROM sessionkit_audit AS login LEFT JOIN sessionkit_audit AS ended \
                 ON ended.session = login.session AND ended.event IN ('logout', 'revoked', 'expired') \
                 WHERE login.event = 'login' ORDER BY login.id";
    let stays: Vec<(i64, String, String, String, Option<String>)> =
        sqlx::query_as(stays).fetch_all(&pool).await.unwrap();
    assert_eq!(stays.len(), 2);
    assert_eq!(stays[0], (began, "ada".into(), "laptop".into(), "revoked".into(), Some(ended.into())));
    assert_eq!(stays[1], (began + 60, "bob".into(), "tablet".into(), "logout".into(), None));
}

async fn count(pool: &SqlitePool) -> i64 {
    sqlx::query_scalar("SELECT COUNT(*) FROM sessionkit_audit").fetch_one(pool).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_that_comes_again_stands_there_once_and_in_order() {
    let file = SqliteFile::new();
    let pool = file.pool().await;
    let log = SqlAuditLog::new(pool.clone());
    log.create_schema().await.unwrap();
    let hostile = |number| format!("{number}\0'; DROP TABLE sessionkit_audit; --");
    let entries = logins((0..100).map(hostile)).await;
    // The answer to the first attempt does not arrive.
    while !append_unanswered(&log, &entries[..60], &async || count(&pool).await).await {
        sqlx::query("DELETE FROM sessionkit_audit").execute(&pool).await.unwrap();
    }
    // The sink takes what came meanwhile along.
    log.append(&entries).await.unwrap();
    assert_eq!(count(&pool).await, 100, "none twice");
    let users: Vec<String> =
        sqlx::query_scalar("SELECT user_id FROM sessionkit_audit ORDER BY id").fetch_all(&pool).await.unwrap();
    let expected: Vec<String> =
        (0..100).map(|number| format!("{number}\u{fffd}'; DROP TABLE sessionkit_audit; --")).collect();
    assert_eq!(users, expected);
    log.append(&entries[..1]).await.unwrap();
    assert_eq!(count(&pool).await, 101, "an event that is alike is another one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_cannot_write_says_so_and_writes_later() {
    let (file, clock) = (SqliteFile::new(), ManualClock::new());
    let (manager, pool) = manager(&file, &clock).await;
    sqlx::query("ALTER TABLE sessionkit_audit RENAME TO elsewhere").execute(&pool).await.unwrap();
    let report = sessionkit_tests::harness::Log::collect();
    log_in(&manager, "ada", "laptop").await;
    manager.drain().await;
    assert!(report.text().contains("audit_failed") && report.text().contains("create_schema()"), "{}", report.text());
    sqlx::query("ALTER TABLE elsewhere RENAME TO sessionkit_audit").execute(&pool).await.unwrap();
    log_in(&manager, "bob", "laptop").await;
    manager.drain().await;
    assert_eq!(count(&pool).await, 2, "nothing is lost, and no login had to wait");
}
