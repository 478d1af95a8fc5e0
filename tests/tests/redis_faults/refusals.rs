//! Servers that answer, and do not do it.

use std::thread;

use sessionkit::redis::RedisStore;
use sessionkit_core::StoreErrorKind::Unavailable;
use sessionkit_core::{EntryKey, Store, StoreError};
use sessionkit_tests::servers::redis::RedisServer;

use super::support::{KEY, assert_kind, commit_set, create, entry, key, remove, text};

/// A large change.
async fn commit_much(store: &RedisStore) -> Result<(), StoreError> {
    commit_set(store, "a", &"x".repeat(10_000)).await
}

/// Both writes are refused as `Unavailable`, nothing is changed, and the session can be read.
async fn assert_writes_are_refused(server: &RedisServer, store: &RedisStore) {
    let before = server.cli(&["GET", KEY]);
    assert_kind(commit_much(store).await, Unavailable);
    let other = sessionkit_core::SessionId::from_bytes([8; 16]);
    assert_kind(store.insert(&EntryKey::session(other), &entry(&[("a", "1")])).await, Unavailable);
    assert_eq!(server.cli(&["GET", KEY]), before, "[P6] a refused commit changes nothing");
    assert_eq!(server.cli(&["EXISTS", &store.key(other)]), "0", "[P6] a refused creation makes nothing");
    assert_eq!(text(store, "a").await.as_deref(), Some("1"), "sessions are still read");
}

async fn prepare() -> (RedisServer, RedisStore) {
    let server = RedisServer::start();
    let store = RedisStore::connect(&server.url()).await.unwrap();
    create(&store, &[("a", "1"), ("gone", "1"), ("n", "1")]).await;
    (server, store)
}

#[tokio::test]
async fn out_of_memory() {
    let (server, store) = prepare().await;
    server.cli(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    server.cli(&["CONFIG", "SET", "maxmemory", "1"]);
    assert_writes_are_refused(&server, &store).await;
    server.cli(&["CONFIG", "SET", "maxmemory", "0"]);
    commit_much(&store).await.unwrap();

    server.cli(&["CONFIG", "SET", "maxmemory", "1"]);
    assert!(remove(&store).await.unwrap(), "a logout works when memory is full");
}

#[tokio::test]
async fn read_only_replica() {
    let (server, store) = prepare().await;
    let before = server.cli(&["GET", KEY]);
    server.cli(&["REPLICAOF", "127.0.0.1", "1"]);
    assert_kind(commit_much(&store).await, Unavailable);
    assert_kind(remove(&store).await, Unavailable);
    let reason = assert_kind(store.load(&key()).await, Unavailable);
    assert!(reason.contains("is a replica"), "what it knows may be old: {reason}");
    assert_eq!(server.cli(&["GET", KEY]), before, "[P6] a refused commit changes nothing");
    server.cli(&["REPLICAOF", "NO", "ONE"]);
    commit_much(&store).await.unwrap();
}

#[tokio::test]
async fn too_few_replicas() {
    let (server, store) = prepare().await;
    server.cli(&["CONFIG", "SET", "min-replicas-to-write", "1"]);
    assert_writes_are_refused(&server, &store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn busy_with_a_script() {
    let (server, store) = prepare().await;
    server.cli(&["CONFIG", "SET", "busy-reply-threshold", "1"]);
    thread::scope(|scope| {
        scope.spawn(|| server.cli(&["EVAL", "while true do end", "0"]));
        while !server.cli(&["PING"]).starts_with("BUSY") {
            thread::yield_now();
        }
        let runtime = tokio::runtime::Handle::current();
        // On a thread of its own, since this one must not wait inside the runtime.
        let outcomes = scope.spawn(move || {
            runtime.block_on(async { (commit_much(&store).await, remove(&store).await, store.load(&key()).await) })
        });
        let outcomes = tokio::task::block_in_place(|| outcomes.join().unwrap());
        server.cli(&["SCRIPT", "KILL"]);
        assert_kind(outcomes.0, Unavailable);
        assert_kind(outcomes.1, Unavailable);
        assert_kind(outcomes.2, Unavailable);
    });
    assert!(server.cli(&["GET", KEY]).contains("gone"), "[P6] a refused commit changes nothing");
}
