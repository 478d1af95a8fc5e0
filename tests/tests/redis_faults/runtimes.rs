//! Calls from other runtimes than the one that built the store, as actix-web's workers make them.

use std::thread;

use sessionkit::redis::RedisStore;
use sessionkit_core::Store;
use sessionkit_core::StoreErrorKind::Unavailable;
use sessionkit_tests::servers::proxy::FaultProxy;
use sessionkit_tests::servers::redis::RedisServer;

use super::support::{assert_kind, commit_set, create, key, text};

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
async fn a_connection_that_a_worker_asked_for_outlives_it() {
    let server = RedisServer::start();
    let proxy = FaultProxy::start(server.address()).await;
    let store = RedisStore::new(&server.url_through(&proxy)).unwrap();
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
fn without_its_runtime_a_store_fails_and_does_not_hang() {
    let server = RedisServer::start();
    let first = tokio::runtime::Runtime::new().unwrap();
    let store = first.block_on(RedisStore::connect(&server.url())).unwrap();
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
