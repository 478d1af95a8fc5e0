//! A database that is full, read-only, locked, or not there.

use std::time::{Duration, Instant};

use sessionkit::sql::SqliteStore;
use sessionkit::store::{
    Entry, EntryKind, Generation, InsertOutcome, RemoveOutcome, ReplaceOutcome, Store as _, StoreError, StoreErrorKind,
};
use sessionkit_tests::servers::sqlite::SqliteFile;

use crate::support::{AN_HOUR, key, number, numbered, revision};

#[track_caller]
fn assert_refused<T: std::fmt::Debug>(refused: Result<T, StoreError>, reason: &str) {
    let error = refused.expect_err("it is refused");
    assert_eq!(error.kind(), StoreErrorKind::Unavailable, "nothing happened: {error:?}");
    assert!(format!("{error:?}").contains(reason), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_and_loses_nothing() {
    let file = SqliteFile::new();
    let store = SqliteStore::new(file.pool_with(file.options().pragma("max_page_count", "40")).await);
    store.create_schema().await.unwrap();
    let large = |number: u32| Entry::new([numbered(number).bytes(), &[7; 8_000]].concat(), AN_HOUR);
    let mut stored = Vec::new();
    let refused = loop {
        let next = stored.len() as u32;
        match store.insert(&key(next), &large(next)).await {
            Ok(_) => stored.push(next),
            refused => break refused,
        }
    };
    assert!(stored.len() > 5, "{}", stored.len());
    assert_refused(refused, "full");
    let grown = Entry::new([numbered(1_000).bytes(), &[7; 50_000]].concat(), AN_HOUR);
    assert_refused(store.replace(&key(0), revision(0), &grown).await, "full");
    for stored in &stored {
        let found = store.load(&key(*stored)).await.unwrap().expect("it is there");
        assert_eq!(found.bytes(), large(*stored).bytes());
    }
    assert_eq!(store.load(&key(stored.len() as u32)).await.unwrap(), None, "all or nothing");
    // A logout needs no room, and makes some.
    for gone in &stored[..2] {
        assert_eq!(store.remove(&key(*gone), Generation::default()).await.unwrap(), RemoveOutcome::Removed);
    }
    assert_eq!(store.insert(&key(2_000), &large(2_000)).await.unwrap(), InsertOutcome::Inserted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_only_database_can_be_read() {
    let file = SqliteFile::new();
    let writer = file.store().await;
    writer.insert(&key(1), &numbered(1)).await.unwrap();
    let reader = SqliteStore::new(
        file.pool_with(sqlx::sqlite::SqliteConnectOptions::new().filename(file.path()).read_only(true)).await,
    );
    reader.create_schema().await.expect("the table is complete, and nothing is to do");
    assert_eq!(number(&reader.load(&key(1)).await.unwrap().unwrap()), Some(1));
    assert_refused(reader.insert(&key(2), &numbered(2)).await, "readonly");
    assert_refused(reader.replace(&key(1), revision(1), &numbered(2)).await, "readonly");
    assert_refused(reader.remove(&key(1), Generation::default()).await, "readonly");
    assert_refused(reader.sweep(10).await, "readonly");
    assert_eq!(number(&reader.load(&key(1)).await.unwrap().unwrap()), Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_without_the_table_says_what_to_do() {
    let file = SqliteFile::new();
    let store = SqliteStore::new(file.pool().await);
    assert_refused(store.load(&key(1)).await, "create_schema()");
    assert_refused(store.insert(&key(1), &numbered(1)).await, "create_schema()");
}

/// Another process that holds the only lock for writers is waited for; readers do not notice it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_database_is_waited_for_and_not_forever() {
    let file = SqliteFile::new();
    let options = file.options().busy_timeout(Duration::ZERO);
    let store = SqliteStore::new(file.pool_with(options).await);
    store.create_schema().await.unwrap();
    store.insert(&key(1), &numbered(1)).await.unwrap();

    let other = file.pool().await;
    let mut writing = other.begin_with("BEGIN IMMEDIATE").await.unwrap();
    sqlx::query("UPDATE sessionkit_sessions SET device_label = 'phone'").execute(&mut *writing).await.unwrap();
    assert_eq!(number(&store.load(&key(1)).await.unwrap().unwrap()), Some(1), "readers wait for nobody");
    let began = Instant::now();
    assert_refused(store.replace(&key(1), revision(1), &numbered(2)).await, "locked");
    assert!(began.elapsed() < Duration::from_secs(10));

    let replaced = tokio::spawn({
        let store = store.clone();
        async move { store.replace(&key(1), revision(1), &numbered(2)).await }
    });
    // It waits for the lock when another call has read twice.
    for _ in 0..2 {
        store.load(&key(1)).await.unwrap();
    }
    writing.commit().await.unwrap();
    assert_eq!(replaced.await.unwrap().unwrap(), ReplaceOutcome::Replaced);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_is_given_up_leaves_the_pool_sane() {
    let file = SqliteFile::new();
    let store = file.store().await;
    store.insert(&key(1), &numbered(0)).await.unwrap();
    for _ in 0..200 {
        // Each is polled at least once, and then dropped wherever it is.
        let _ = tokio::time::timeout(Duration::ZERO, store.load(&key(1))).await;
        let _ = tokio::time::timeout(Duration::ZERO, store.insert(&key(2), &numbered(7))).await;
    }
    for round in 0..20 {
        assert_eq!(
            store.replace(&key(1), revision(round), &numbered(round + 1)).await.unwrap(),
            ReplaceOutcome::Replaced
        );
    }
    store.ping().await.unwrap();
}

/// Writers on two pools, each of which counts one up: none is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writers_on_two_pools_lose_nothing() {
    let file = SqliteFile::new();
    let stores = [file.store().await, file.store().await];
    stores[0].insert(&key(1), &numbered(0)).await.unwrap();
    let writers = (0..40).map(|writer: usize| {
        let store = stores[writer % 2].clone();
        tokio::spawn(async move {
            let mut seen = store.load(&key(1)).await.unwrap().unwrap();
            for _ in 0..5 {
                loop {
                    let held = number(&seen).expect("it is whole");
                    match store.replace(&key(1), revision(held), &numbered(held + 1)).await.unwrap() {
                        ReplaceOutcome::Replaced => {
                            seen = numbered(held + 1);
                            break;
                        }
                        ReplaceOutcome::Changed(newest) => seen = newest,
                        ReplaceOutcome::Absent => panic!("it is there"),
                    }
                }
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    assert_eq!(number(&stores[1].load(&key(1)).await.unwrap().unwrap()), Some(200));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_be_forgotten_is_swept_in_batches_and_counted() {
    let file = SqliteFile::new();
    let (store, pool) = (file.store().await, file.pool().await);
    for number in 0..25 {
        store.insert(&key(number), &numbered(number)).await.unwrap();
    }
    assert_eq!(store.sweep(100).await.unwrap(), 0, "nothing is due");
    sqlx::query("UPDATE sessionkit_sessions SET reclaim_at = 1000 WHERE id <= ?")
        .bind(key(19).as_bytes())
        .execute(&pool)
        .await
        .unwrap();
    // A touch keeps what was due.
    assert_eq!(store.replace(&key(3), revision(3), &numbered(30)).await.unwrap(), ReplaceOutcome::Replaced);
    let mut swept = Vec::new();
    while swept.last() != Some(&0) {
        swept.push(store.sweep(8).await.unwrap());
    }
    assert_eq!(swept, [8, 8, 3, 0]);
    assert!(store.load(&key(3)).await.unwrap().is_some());
    let stats = store.stats().await.unwrap();
    assert_eq!((stats.sessions, stats.lists), (Some(6), Some(0)));
    assert!(stats.bytes.is_some_and(|bytes| bytes > 1_000 && bytes < 100_000), "{stats:?}");
    assert_eq!(store.scan(EntryKind::Session, None, 100).await.unwrap().entries.len(), 6);
}
