//! Servers that answer, and do not do it.

use std::thread;

use sessionkit::redis::RedisStore;
use sessionkit_core::StoreErrorKind::Unavailable;
use sessionkit_core::{CommitOutcome, Delta, FieldOp, HeaderOp, SecretHash, Store};
use sessionkit_tests::servers::redis::RedisServer;

use super::support::{ID, KEY, NOW, TTL, add, assert_kind, commit, create, header, record, set, text};

/// Some of everything that a commit writes.
fn large_delta() -> Delta {
    let mut delta = Delta::new();
    delta.header = vec![
        HeaderOp::Touch { last_seen: NOW, idle_deadline: NOW.saturating_add(TTL * 2) },
        HeaderOp::Rotate { secret: SecretHash::from_bytes([2; 32]) },
    ];
    delta.fields = vec![FieldOp::Remove { key: "gone".into() }, set("a", &"x".repeat(10_000)), add("n")];
    delta
}

/// Both writes are refused as `Unavailable`, nothing is changed, and the session can be read.
async fn assert_writes_are_refused(server: &RedisServer, store: &RedisStore) {
    let before = server.cli(&["HGETALL", KEY]);
    assert_kind(commit(store, &large_delta()).await, Unavailable);
    let other = sessionkit_core::SessionId::from_bytes([8; 16]);
    assert_kind(store.create(other, &record(header(), &[("a", "1")]), NOW).await, Unavailable);
    assert_eq!(server.cli(&["HGETALL", KEY]), before, "[P6] a refused commit changes nothing");
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
    assert!(matches!(commit(&store, &large_delta()).await, Ok(CommitOutcome::Committed(_))));

    server.cli(&["CONFIG", "SET", "maxmemory", "1"]);
    assert!(store.destroy(ID).await.unwrap(), "a logout works when memory is full");
}

#[tokio::test]
async fn read_only_replica() {
    let (server, store) = prepare().await;
    let before = server.cli(&["HGETALL", KEY]);
    server.cli(&["REPLICAOF", "127.0.0.1", "1"]);
    assert_kind(commit(&store, &large_delta()).await, Unavailable);
    assert_kind(store.destroy(ID).await, Unavailable);
    let reason = assert_kind(store.load(ID, NOW).await, Unavailable);
    assert!(reason.contains("is a replica"), "what it knows may be old: {reason}");
    assert_eq!(server.cli(&["HGETALL", KEY]), before, "[P6] a refused commit changes nothing");
    server.cli(&["REPLICAOF", "NO", "ONE"]);
    assert!(matches!(commit(&store, &large_delta()).await, Ok(CommitOutcome::Committed(_))));
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
            runtime.block_on(async {
                (commit(&store, &large_delta()).await, store.destroy(ID).await, store.load(ID, NOW).await)
            })
        });
        let outcomes = tokio::task::block_in_place(|| outcomes.join().unwrap());
        server.cli(&["SCRIPT", "KILL"]);
        assert_kind(outcomes.0, Unavailable);
        assert_kind(outcomes.1, Unavailable);
        assert_kind(outcomes.2, Unavailable);
    });
    assert_eq!(server.cli(&["HGET", KEY, "gone"]), "1", "[P6] a refused commit changes nothing");
}
