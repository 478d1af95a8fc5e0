//! Sweeping, counting, and the table.

use std::time::Duration;

use serde_json::{Value, json};
use sessionkit::store::{Entry, EntryKey, InsertOutcome, Revision, Store as _};
use sessionkit::{SessionId, SystemClock};
use tempfile::TempDir;

use crate::support::{Place, log_in, run, visit};

#[tokio::test]
async fn a_sweep_removes_what_may_be_forgotten_and_nothing_else() {
    let place = Place::files().await;
    let (ada, _) = log_in(&place.manager(), "ada").await;
    for number in 1..=3 {
        let mut bytes = [0; 40];
        bytes[Revision::RANGE].copy_from_slice(&[number; 8]);
        let key = EntryKey::session(SessionId::from_bytes([number; 16]));
        let entry = Entry::new(&bytes[..], Duration::ZERO);
        assert_eq!(place.store.insert(&key, &entry).await.unwrap(), InsertOutcome::Inserted);
    }
    // A store counts in seconds.
    let now = sessionkit::Clock::now(&SystemClock);
    while sessionkit::Clock::now(&SystemClock) < now.saturating_add(Duration::from_secs(2)) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(place.json(&["sweep"]), json!({ "removed": 3 }));
    let text = place.run(&["sweep"]);
    assert_eq!((text.code, text.shown.as_str()), (Some(0), "removed 0 entries\n"));
    assert!(!ada.is_over().await);
    for other in [Place::redis().await, Place::sqlite().await] {
        assert_eq!(other.json(&["sweep"]), json!({ "removed": 0 }), "{}", other.url);
    }
}

#[tokio::test]
async fn the_figures_are_the_stores_own_or_counted() {
    for place in Place::all().await {
        let manager = place.manager();
        log_in(&manager, "ada").await;
        visit(&manager).await;
        let stats = place.json(&["stats"]);
        assert_eq!((&stats["sessions"], &stats["lists"]), (&json!(2), &json!(1)), "{}: {stats}", place.url);
        assert!(stats["bytes"].as_u64().is_some_and(|bytes| bytes > 100), "{}: {stats}", place.url);
        assert!(stats["oldest"].as_str().is_some_and(|time| time.ends_with('Z')), "{}: {stats}", place.url);
        let scans = place.url.starts_with("redis");
        assert_eq!(stats["counted_by"], if scans { "a scan" } else { "the store" });
        let text = place.run(&["stats"]);
        assert!(text.shown.contains("sessions     2\n"), "{}", text.shown);
    }
}

#[test]
fn the_sql_of_the_table_is_printed_without_a_store() {
    for (dialect, quoted) in [
        ("postgres", "\"sessionkit_sessions\""),
        ("sqlite", "\"sessionkit_sessions\""),
        ("mysql", "`sessionkit_sessions`"),
    ] {
        let text = run(&["schema", dialect], None);
        assert_eq!((text.code, text.error.as_str()), (Some(0), ""));
        assert!(text.shown.starts_with(&format!("CREATE TABLE IF NOT EXISTS {quoted}")), "{dialect}: {}", text.shown);
        let json = run(&["schema", dialect, "--json"], Some("redis://localhost"));
        assert_eq!(serde_json::from_str::<Value>(&json.shown).unwrap(), json!({ "sql": text.shown }));
    }
}

#[tokio::test]
async fn the_table_is_created_when_somebody_says_so() {
    let directory = TempDir::new().unwrap();
    let url = format!("sqlite:{}?table=visits", directory.path().join("shop.db").display());
    assert_eq!(run(&["list"], Some(&url)).code, Some(3));
    let refused = run(&["schema", "postgres", "--create"], Some(&url));
    assert!(refused.code == Some(2) && refused.error.contains("postgres:.."), "{}", refused.error);
    for _ in 0..2 {
        let created = run(&["schema", "sqlite", "--create"], Some(&url));
        assert_eq!((created.code, created.shown.as_str()), (Some(0), "the table is there\n"), "{}", created.error);
    }
    let listed = run(&["list"], Some(&url));
    assert_eq!((listed.code, listed.shown.as_str()), (Some(0), ""), "{}", listed.error);
    // There is a file, but another table was asked for.
    let other = run(&["list"], Some(&url.replace("visits", "others")));
    assert_eq!(other.code, Some(3), "{}", other.error);
}
