//! Tests of sweeping and counting.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use sessionkit::store::{Entry, EntryKey, SessionId, Store as _, StoreErrorKind};
use sessionkit::testing::TestSession;
use sessionkit::{Clock as _, SystemClock, Timestamp};
use sessionkit_tests::harness::Bench;
use sessionkit_tests::writer::{entry, key};

use crate::store;

/// Writes into a file that its entry may be forgotten from this time on. The checksum does not matter for that.
fn set_reclaim_at(file: &Path, time: Timestamp) {
    let mut bytes = fs::read(file).unwrap();
    bytes[4..12].copy_from_slice(&time.unix_seconds().to_be_bytes());
    fs::write(file, bytes).unwrap();
}

fn spread(number: u8) -> EntryKey {
    EntryKey::session(SessionId::from_bytes([number; 16]))
}

#[tokio::test]
async fn what_may_be_forgotten_is_swept_in_portions_and_nothing_else() {
    let (store, _directory) = store();
    let (now, minute) = (SystemClock.now(), Duration::from_secs(60));
    // Thirty in one directory, and others in directories of their own.
    let old: Vec<_> = (0..30).map(key).chain((100..120).map(spread)).collect();
    let kept: Vec<_> = (50..60).map(key).chain([spread(200), EntryKey::session_list("Main", "ada")]).collect();
    for key in old.iter().chain(&kept) {
        store.insert(key, &entry(1)).await.unwrap();
    }
    old.iter().for_each(|key| set_reclaim_at(&store.path(key), now.saturating_sub(minute)));
    set_reclaim_at(&store.path(&kept[0]), now.saturating_add(minute));
    let mut removed = Vec::new();
    loop {
        let swept = store.sweep(7).await.unwrap();
        if swept == 0 {
            break;
        }
        removed.push(swept);
    }
    assert_eq!(removed.iter().sum::<usize>(), old.len());
    assert!(removed.iter().all(|portion| *portion <= 7), "{removed:?}");
    for key in &old {
        assert!(store.load(key).await.unwrap().is_none());
    }
    assert!(kept.iter().all(|key| store.path(key).exists()));
}

#[tokio::test]
async fn an_entry_is_kept_for_its_time_to_the_second() {
    let (store, _directory) = store();
    let hour = Duration::from_secs(3_600);
    let before = SystemClock.now();
    store.insert(&key(1), &Entry::new(entry(1).bytes(), hour)).await.unwrap();
    let after = SystemClock.now();
    let bytes = fs::read(store.path(&key(1))).unwrap();
    let reclaim_at = Timestamp::from_unix_seconds(u64::from_be_bytes(bytes[4..12].try_into().unwrap()));
    let second = Duration::from_secs(1);
    assert!(before.saturating_add(hour) <= reclaim_at && reclaim_at <= after.saturating_add(hour + second));
    store.insert(&key(2), &Entry::new(entry(1).bytes(), Duration::MAX)).await.unwrap();
    assert_eq!(store.sweep(10).await.unwrap(), 0);
}

#[tokio::test]
async fn what_a_killed_process_left_half_written_is_swept_after_an_hour() {
    let (store, _directory) = store();
    let of = |name: &str| store.path(&key(1)).with_file_name(name);
    let [old, young] = ["tmp-0123456789abcdef", "tmp-fedcba9876543210"].map(of);
    let age = |minutes: u64| SystemTime::now() - Duration::from_secs(60 * minutes);
    for (path, minutes) in [(&old, 61), (&young, 59)] {
        File::create(path).unwrap().set_modified(age(minutes)).unwrap();
    }
    store.sweep(1).await.unwrap();
    assert_eq!((old.exists(), young.exists()), (false, true));
}

#[tokio::test]
async fn the_contents_are_counted() {
    let bench = Bench::file().with_config(|config| config.track_devices(true));
    let (store, manager) = (bench.store.inner(), bench.manager());
    assert_eq!(store.stats().await.unwrap().sessions, Some(0));
    let (began, hour) = (bench.clock.now(), Duration::from_secs(3_600));
    for user in ["ada", "bob"] {
        TestSession::new(&manager).login(user).await;
        bench.clock.advance(hour);
    }
    let stats = store.stats().await.unwrap();
    assert_eq!((stats.sessions, stats.lists, stats.oldest), (Some(2), Some(2), Some(began)));
    assert!(stats.bytes.unwrap() >= 200, "{stats:?}");
}

#[tokio::test]
async fn a_cursor_of_another_store_is_an_error() {
    let (store, _directory) = store();
    let cursor = sessionkit::store::ScanCursor::from_bytes(*b"17");
    let error = store.scan(sessionkit::store::EntryKind::Session, Some(&cursor), 1).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unsupported);
}
