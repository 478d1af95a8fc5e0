//! Calls from other runtimes than the one that built the store, as actix-web's workers make them.

use std::thread;
use std::time::{Duration, Instant};

use sessionkit::redis::RedisStore;
use sessionkit_core::Store;
use sessionkit_core::StoreErrorKind::Unavailable;
use sessionkit_tests::servers::proxy::FaultProxy;
use sessionkit_tests::servers::redis::RedisServer;

use super::support::{assert_kind, commit_set, create, key, text};

/// The number of connections to the server, without the one that asks.
fn connected(server: &RedisServer) -> usize {
    server.cli(&["CLIENT", "LIST", "TYPE", "normal"]).lines().count() - 1
}

/// Awaits what the server alone knows.
async fn until(holds: impl Fn() -> bool, what: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "not within 20 seconds: {what}");
        tokio::task::yield_now().await;
    }
}

/// Runs this on a runtime of its own, on a thread of its own, both of which end.
async fn on_a_worker<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let worker = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let outcome = runtime.block_on(work);
        drop(runtime);
        assert!(sender.send(outcome).is_ok());
    });
    let outcome = receiver.await.unwrap();
    worker.join().unwrap();
    outcome
}

#[tokio::test]
async fn each_runtime_has_a_connection_which_ends_with_it() {
    let server = RedisServer::start();
    let proxy = FaultProxy::start(server.address()).await;
    let store = RedisStore::new(&server.url_through(&proxy)).unwrap();
    create(&store, &[("a", "0")]).await;
    for worker in 1..=3 {
        let other = store.clone();
        on_a_worker(async move {
            let written = worker.to_string();
            commit_set(&other, "a", &written).await.unwrap();
            assert_eq!(text(&other, "a").await, Some(written));
        })
        .await;
        assert_eq!(text(&store, "a").await, Some(worker.to_string()), "the others go on");
        assert_eq!(proxy.connections(), 1 + worker, "one for each worker, for all its calls");
        until(|| connected(&server) == 1, "the connection ends with its worker").await;
    }
    proxy.cut().await;
    assert_eq!(text(&store, "a").await.as_deref(), Some("3"));
}

#[tokio::test]
async fn on_a_runtime_that_is_named_there_is_one_connection_which_outlives_those_who_call() {
    let server = RedisServer::start();
    let proxy = FaultProxy::start(server.address()).await;
    let lasting = tokio::runtime::Handle::current();
    let store = RedisStore::builder(server.url_through(&proxy)).runtime(lasting).build().unwrap();
    let first = store.clone();
    on_a_worker(async move { create(&first, &[("a", "1")]).await }).await;
    assert_eq!(text(&store, "a").await.as_deref(), Some("1"));
    assert_eq!(proxy.connections(), 1, "the connection lives on");

    proxy.cut().await;
    let second = store.clone();
    assert_eq!(on_a_worker(async move { text(&second, "a").await }).await.as_deref(), Some("1"));
    commit_set(&store, "a", "2").await.unwrap();
    let third = store.clone();
    assert_eq!(on_a_worker(async move { text(&third, "a").await }).await.as_deref(), Some("2"));
    assert_eq!(proxy.connections(), 2, "so does one that a worker reconnected");
}

#[test]
fn a_store_outlives_the_runtime_that_built_it() {
    let server = RedisServer::start();
    let first = tokio::runtime::Runtime::new().unwrap();
    let store = first.block_on(RedisStore::connect(&server.url())).unwrap();
    drop(first);
    let second = tokio::runtime::Runtime::new().unwrap();
    second.block_on(async {
        create(&store, &[("a", "1")]).await;
        assert!(store.notices().is_some());
        let listens = || server.cli(&["PUBSUB", "NUMSUB", "session:@ended"]) == "session:@ended\n1";
        until(listens, "another runtime listens").await;
    });
}

#[test]
fn who_listens_is_replaced_when_its_runtime_is_over() {
    let server = RedisServer::start();
    let listeners = || server.cli(&["PUBSUB", "NUMSUB", "session:@ended"]);
    let first = tokio::runtime::Runtime::new().unwrap();
    let store = first.block_on(RedisStore::connect(&server.url())).unwrap();
    for runtime in [first, tokio::runtime::Runtime::new().unwrap(), tokio::runtime::Runtime::new().unwrap()] {
        runtime.block_on(async {
            assert!(store.notices().is_some());
            until(|| listeners() == "session:@ended\n1", "it listens").await;
        });
        drop(runtime);
    }
}

#[test]
fn without_the_runtime_that_was_named_a_store_fails_and_does_not_hang() {
    let server = RedisServer::start();
    let first = tokio::runtime::Runtime::new().unwrap();
    let store = RedisStore::builder(server.url()).runtime(first.handle().clone()).build().unwrap();
    first.block_on(store.ping()).unwrap();
    drop(first);
    let second = tokio::runtime::Runtime::new().unwrap();
    for _ in 0..2 {
        let reason = assert_kind(second.block_on(store.load(&key())), Unavailable);
        assert!(reason.contains("runtime"), "{reason}");
    }
}

#[test]
fn a_store_is_built_outside_of_a_runtime_that_it_is_given() {
    let server = RedisServer::start();
    let error = RedisStore::new(&server.url()).unwrap_err();
    assert!(error.to_string().contains("runtime"), "{error}");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let store = RedisStore::builder(server.url()).runtime(runtime.handle().clone()).build().unwrap();
    runtime.block_on(store.ping()).unwrap();
}
