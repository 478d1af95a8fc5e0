//! Servers and networks that fail.

use std::time::Duration;

use sessionkit::redis::RedisStore;
use sessionkit_core::Store;
use sessionkit_core::StoreErrorKind::{Unavailable, Unknown};
use sessionkit_tests::servers::proxy::FaultProxy;
use sessionkit_tests::servers::redis::RedisServer;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::support::{assert_kind, begin_and_drop, commit, commit_set, create, entry, key, remove, text};

/// Short enough for a test to wait for, and longer than a busy machine needs to answer.
const SHORT: Duration = Duration::from_millis(400);

/// Gives a call the deadline that the session manager gives it, and makes sure that it does not keep it.
async fn assert_no_answer(call: impl Future) {
    assert!(timeout(SHORT, call).await.is_err());
}

#[tokio::test]
async fn a_store_is_built_while_the_server_is_down() {
    let mut server = RedisServer::start();
    server.kill();
    let store = RedisStore::new(&server.url()).unwrap();
    assert_kind(store.load(&key()).await, Unavailable);
    assert_kind(store.insert(&key(), &entry(&[])).await, Unavailable);
    assert_kind(commit_set(&store, "a", "1").await, Unavailable);
    assert_kind(remove(&store).await, Unavailable);
    assert_kind(store.ping().await, Unavailable);
    assert!(RedisStore::connect(&server.url()).await.is_err());

    server.restart();
    store.ping().await.unwrap();
    create(&store, &[]).await;
    commit_set(&store, "a", "1").await.unwrap();
    assert_eq!(text(&store, "a").await.as_deref(), Some("1"));
}

#[tokio::test]
async fn a_crash_loses_nothing_that_was_acknowledged_and_the_store_comes_back() {
    let mut server = RedisServer::builder().persistent().start();
    let store = RedisStore::connect(&server.url()).await.unwrap();
    create(&store, &[("a", "1")]).await;
    for value in ["2", "3", "4"] {
        commit_set(&store, "a", value).await.unwrap();
        server.kill();
        assert_kind(store.load(&key()).await, Unavailable);
        assert_kind(commit_set(&store, "a", "lost").await, Unavailable);
        server.restart();
        assert_eq!(text(&store, "a").await.as_deref(), Some(value), "the first load after a restart succeeds");
    }
    assert!(remove(&store).await.unwrap());
    server.restart();
    assert!(store.load(&key()).await.unwrap().is_none(), "[P1] a crash revives no session");
}

#[tokio::test]
async fn a_hung_server_comes_back() {
    let mut server = RedisServer::start();
    let store = RedisStore::builder(server.url()).connect_timeout(SHORT).build().unwrap();
    create(&store, &[]).await;
    server.pause();
    let reason = assert_kind(store.ping().await, Unavailable);
    assert!(reason.contains("did not answer within"), "a health check has a deadline of its own: {reason}");
    assert_no_answer(commit(&store, &[("n", "1")])).await;
    server.resume();
    let before: u32 = text(&store, "n").await.map_or(0, |text| text.parse().unwrap());
    assert!(before <= 1, "one attempt counts once: {before}");
    commit(&store, &[("n", "2")]).await.unwrap();
    assert_eq!(text(&store, "n").await.as_deref(), Some("2"));
}

#[tokio::test]
async fn a_write_that_the_server_died_with_is_unknown() {
    let mut server = RedisServer::start();
    let store = RedisStore::connect(&server.url()).await.unwrap();
    create(&store, &[]).await;
    server.pause();
    let mut writes = JoinSet::new();
    writes.spawn({
        let store = store.clone();
        async move { commit_set(&store, "a", "1").await }
    });
    writes.spawn({
        let store = store.clone();
        async move { remove(&store).await.map(drop) }
    });
    // Both are sent, and nobody answers.
    assert!(timeout(Duration::from_millis(50), writes.join_next()).await.is_err());
    server.kill();
    while let Some(outcome) = writes.join_next().await {
        assert_kind(outcome.unwrap(), Unknown);
    }
}

#[tokio::test]
async fn killed_clients_reconnect() {
    let server = RedisServer::start();
    let store = RedisStore::connect(&server.url()).await.unwrap();
    create(&store, &[("a", "1")]).await;
    for value in ["2", "3"] {
        server.cli(&["CLIENT", "KILL", "TYPE", "normal"]);
        store.load(&key()).await.unwrap();
        commit_set(&store, "a", value).await.unwrap();
        assert_eq!(text(&store, "a").await.as_deref(), Some(value));
    }
}

#[tokio::test]
async fn a_server_that_lost_the_scripts_gets_them_again() {
    let server = RedisServer::start();
    let store = RedisStore::connect(&server.url()).await.unwrap();
    for _ in 0..2 {
        server.cli(&["SCRIPT", "FLUSH"]);
        create(&store, &[("a", "1")]).await;
        server.cli(&["SCRIPT", "FLUSH"]);
        commit_set(&store, "a", "2").await.unwrap();
        assert_eq!(text(&store, "a").await.as_deref(), Some("2"));
        assert!(remove(&store).await.unwrap());
    }
}

#[tokio::test]
async fn a_lost_connection_is_replaced() {
    let server = RedisServer::start();
    let proxy = FaultProxy::start(server.address()).await;
    let store = RedisStore::connect(&server.url_through(&proxy)).await.unwrap();
    create(&store, &[("a", "1")]).await;
    proxy.cut().await;
    assert_eq!(text(&store, "a").await.as_deref(), Some("1"), "a load is tried again");
    assert_eq!(proxy.connections(), 2);
    commit_set(&store, "a", "2").await.unwrap();
    assert_eq!(proxy.connections(), 2);

    proxy.refuse(true).await;
    proxy.cut().await;
    assert_kind(store.load(&key()).await, Unavailable);
    assert_kind(commit_set(&store, "a", "3").await, Unavailable);
    proxy.refuse(false).await;
    assert_eq!(text(&store, "a").await.as_deref(), Some("2"));
}

#[tokio::test]
async fn a_silent_connection_is_replaced_after_two_unanswered_calls() {
    let server = RedisServer::start();
    let proxy = FaultProxy::start(server.address()).await;
    let store = RedisStore::connect(&server.url_through(&proxy)).await.unwrap();
    create(&store, &[("a", "1")]).await;
    proxy.blackhole(true);
    for _ in 0..2 {
        assert_no_answer(store.load(&key())).await;
        assert_eq!(proxy.connections(), 1);
    }
    assert_no_answer(store.load(&key())).await;
    assert_eq!(proxy.connections(), 2, "the third call connects anew");
    proxy.blackhole(false);
    assert_eq!(text(&store, "a").await.as_deref(), Some("1"));
}

#[tokio::test]
async fn callers_with_shorter_deadlines_count_too() {
    let server = RedisServer::start();
    let proxy = FaultProxy::start(server.address()).await;
    let store = RedisStore::connect(&server.url_through(&proxy)).await.unwrap();
    create(&store, &[("a", "1")]).await;
    proxy.blackhole(true);
    for _ in 0..3 {
        // The deadline of the session manager.
        assert!(timeout(Duration::from_millis(250), store.load(&key())).await.is_err());
    }
    assert_eq!(proxy.connections(), 2, "the hung connection was replaced");
    proxy.blackhole(false);
    assert_eq!(text(&store, "a").await.as_deref(), Some("1"));
}

#[tokio::test]
async fn an_answer_in_between_shows_that_the_connection_is_good() {
    let server = RedisServer::start();
    let proxy = FaultProxy::start(server.address()).await;
    let store = RedisStore::connect(&server.url_through(&proxy)).await.unwrap();
    create(&store, &[("a", "1")]).await;
    for _ in 0..3 {
        proxy.blackhole(true);
        assert_no_answer(store.load(&key())).await;
        proxy.blackhole(false);
        assert_eq!(text(&store, "a").await.as_deref(), Some("1"));
    }
    assert_eq!(proxy.connections(), 1);
}

#[tokio::test]
async fn a_server_that_is_only_slow_keeps_its_connection() {
    let server = RedisServer::start();
    let proxy = FaultProxy::start(server.address()).await;
    let store = RedisStore::connect(&server.url_through(&proxy)).await.unwrap();
    create(&store, &[("a", "1")]).await;
    // Reads are answered, and writes wait.
    server.cli(&["CLIENT", "PAUSE", "60000", "WRITE"]);
    let key = key();
    let (read, (), ()) =
        tokio::join!(store.load(&key), assert_no_answer(remove(&store)), assert_no_answer(remove(&store)));
    assert!(read.unwrap().is_some());
    server.cli(&["CLIENT", "UNPAUSE"]);
    store.ping().await.unwrap();
    assert_eq!(proxy.connections(), 1);
}

#[tokio::test]
async fn clients_that_leave_early_do_no_harm() {
    let server = RedisServer::start();
    let proxy = FaultProxy::start(server.address()).await;
    let store = RedisStore::new(&server.url_through(&proxy)).unwrap();
    // While it connects,
    for _ in 0..20 {
        begin_and_drop(store.load(&key()));
    }
    create(&store, &[]).await;
    // and while it waits for replies.
    for _ in 0..100 {
        begin_and_drop(commit_set(&store, "n", "1"));
        begin_and_drop(store.load(&key()));
    }
    commit_set(&store, "a", "1").await.unwrap();
    assert_eq!(text(&store, "a").await.as_deref(), Some("1"), "replies still reach the calls that they belong to");
    assert_eq!(proxy.connections(), 1);
}

#[tokio::test]
async fn all_wait_for_one_attempt_to_connect() {
    let server = RedisServer::start();
    let proxy = FaultProxy::start(server.address()).await;
    let store = RedisStore::new(&server.url_through(&proxy)).unwrap();
    proxy.blackhole(true);
    let mut loads = JoinSet::new();
    for _ in 0..100 {
        let store = store.clone();
        loads.spawn(async move { store.load(&key()).await.map(|record| assert!(record.is_none())) });
    }
    // The first one gives up while the others wait.
    assert!(timeout(Duration::from_millis(50), store.ping()).await.is_err());
    proxy.blackhole(false);
    for outcome in loads.join_all().await {
        outcome.unwrap();
    }
    assert_eq!(proxy.connections(), 1);
}

#[tokio::test]
async fn connecting_has_a_deadline() {
    let server = RedisServer::start();
    let proxy = FaultProxy::start(server.address()).await;
    let store = RedisStore::builder(server.url_through(&proxy)).connect_timeout(SHORT).build().unwrap();
    proxy.blackhole(true);
    let reason = assert_kind(commit_set(&store, "a", "1").await, Unavailable);
    assert!(reason.contains("no connection within"), "{reason}");
    proxy.blackhole(false);
    create(&store, &[]).await;
    commit_set(&store, "a", "1").await.unwrap();
}
