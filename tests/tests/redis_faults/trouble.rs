//! Servers that are full, loading, or behind the times.

use std::thread;
use std::time::Duration;

use sessionkit::redis::RedisStore;
use sessionkit_core::Store;
use sessionkit_core::StoreErrorKind::Unavailable;
use sessionkit_tests::harness::Log;
use sessionkit_tests::servers::redis::RedisServer;

use super::setup::with_login;
use super::support::{assert_kind, commit_set, create, entry, key, remove, text};

/// The server answers that it loads its data: nothing happened, and nobody is logged out.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_loads_its_data_is_an_outage_that_ends_with_it() {
    // Two milliseconds for each key, and an answer after each.
    let slow = ["--key-load-delay", "2000", "--loading-process-events-interval-bytes", "1024"];
    let mut server = RedisServer::builder().options(&slow).start();
    let store = RedisStore::connect(&server.url()).await.unwrap();
    create(&store, &[("a", "1")]).await;
    let many = "for i = 1, 1500 do redis.call('SET', 'other:' .. i, string.rep('x', 100)) end";
    server.cli(&["EVAL", many, "0"]);
    assert_eq!(server.cli(&["SAVE"]), "OK");
    server.kill();
    let restart = thread::spawn(move || {
        server.restart();
        server
    });
    let mut reasons = Vec::new();
    while !restart.is_finished() {
        match store.load(&key()).await {
            Ok(found) => assert!(found.is_some(), "no session is missing while the data are loaded"),
            Err(error) => {
                reasons.push(assert_kind::<()>(Err(error), Unavailable));
                if let Err(error) = commit_set(&store, "a", "2").await {
                    assert_kind::<()>(Err(error), Unavailable);
                }
            }
        }
    }
    let server = restart.join().unwrap();
    assert!(reasons.iter().any(|reason| reason.contains("LOADING")), "{reasons:?}");
    commit_set(&store, "a", "3").await.unwrap();
    assert_eq!(text(&store, "a").await.as_deref(), Some("3"));
    drop(server);
}

#[tokio::test]
async fn a_server_with_too_many_clients_says_so_and_takes_the_store_when_there_is_room() {
    let server = RedisServer::start();
    let others: Vec<_> = (0..3).map(|_| std::net::TcpStream::connect(server.address()).unwrap()).collect();
    // The one that changes the setting is a client too.
    assert_eq!(server.cli(&["CONFIG", "SET", "maxclients", "3"]), "OK");
    let store = RedisStore::new(&server.url()).unwrap();
    let reason = assert_kind(store.insert(&key(), &entry(&[])).await, Unavailable);
    assert!(reason.contains("cannot connect"), "{reason}");
    drop(others);
    while store.ping().await.is_err() {}
    create(&store, &[]).await;
}

#[tokio::test]
async fn a_server_that_may_evict_is_a_warning_once() {
    let log = Log::collect();
    let warnings = || log.text().matches("redis_may_evict").count();
    let server = RedisServer::start();
    for (memory, policy, count) in [("0", "allkeys-lru", 0), ("100mb", "noeviction", 0), ("100mb", "volatile-ttl", 1)] {
        server.cli(&["CONFIG", "SET", "maxmemory", memory]);
        server.cli(&["CONFIG", "SET", "maxmemory-policy", policy]);
        let store = RedisStore::connect(&server.url()).await.unwrap();
        create(&store, &[]).await;
        remove(&store).await.unwrap();
        assert_eq!(warnings(), count, "{memory} {policy}");
    }
    assert!(log.text().contains("volatile-ttl") && log.text().contains("noeviction"), "{}", log.text());
    // A user who may not ask is not told.
    server.cli(&["ACL", "SETUSER", "web", "on", ">secret", "~session:*", "-@all", "+ping"]);
    RedisStore::connect(&with_login(&server, "web:secret")).await.unwrap();
    assert_eq!(warnings(), 1);
}

/// Sessions that were evicted are gone, as if they had expired: nothing else follows from it.
#[tokio::test]
async fn an_evicted_session_is_none() {
    let server = RedisServer::start();
    let store = RedisStore::connect(&server.url()).await.unwrap();
    create(&store, &[("a", "1")]).await;
    server.cli(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]);
    server.cli(&["CONFIG", "SET", "maxmemory", "1"]);
    // A write makes the server look for room.
    while store.load(&key()).await.unwrap().is_some() {
        server.cli(&["SET", "other", "1"]);
    }
    server.cli(&["CONFIG", "SET", "maxmemory", "0"]);
    assert!(!remove(&store).await.unwrap());
    let replaced = store.replace(&key(), super::support::HELD, &entry(&[])).await.unwrap();
    assert_eq!(replaced, sessionkit_core::ReplaceOutcome::Absent, "nothing brings it back");
    tokio::time::timeout(Duration::from_secs(10), create(&store, &[])).await.unwrap();
}
