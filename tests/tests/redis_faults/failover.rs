//! Another server becomes the master behind one address, or the same one changes its mind about who may come in.

use std::time::{Duration, Instant};

use sessionkit::redis::RedisStore;
use sessionkit::{SessionConfig, SessionManager};
use sessionkit_core::StoreErrorKind::Unavailable;
use sessionkit_tests::harness::NEVER;
use sessionkit_tests::servers::proxy::FaultProxy;
use sessionkit_tests::servers::redis::RedisServer;
use tokio::task;
use tokio::time::timeout;

use super::setup::with_login;
use super::support::assert_kind;

/// Longer than a busy machine needs.
const PATIENCE: Duration = Duration::from_secs(30);

fn manager(store: RedisStore) -> SessionManager {
    let config = SessionConfig::builder().track_devices(true).watch_interval(NEVER).build().unwrap();
    SessionManager::new(store, config)
}

async fn log_in(manager: &SessionManager) -> sessionkit::manual::SessionHandle {
    let session = manager.open();
    session.auth().login("ada").await.unwrap();
    let handle = session.handle().await.unwrap();
    assert!(manager.close(&session, 200).await.rejection.is_none());
    handle
}

/// Waits until a server is asked for notices.
async fn listened_to(server: &RedisServer) {
    while server.cli(&["PUBSUB", "NUMSUB", "session:@ended"]) != "session:@ended\n1" {
        task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn notices_come_from_the_new_master() {
    let (old, new) = (RedisServer::start(), RedisServer::start());
    let proxy = FaultProxy::start(old.address()).await;
    let here = manager(RedisStore::connect(&old.url_through(&proxy)).await.unwrap());
    let handle = log_in(&here).await;
    let watched = tokio::spawn(async move { handle.ended().await.unwrap() });
    listened_to(&old).await;

    old.cli(&["CONFIG", "SET", "repl-diskless-sync-delay", "0"]);
    new.cli(&["REPLICAOF", "127.0.0.1", &old.port().to_string()]);
    while !new.cli(&["INFO", "replication"]).contains("master_link_status:up") {
        task::yield_now().await;
    }
    new.cli(&["REPLICAOF", "NO", "ONE"]);
    proxy.lead_to(new.address());
    old.cli(&["REPLICAOF", "127.0.0.1", "1"]);
    // Nobody asks for a session here: the listener notices by itself.
    timeout(PATIENCE, listened_to(&new)).await.unwrap();
    assert!(!watched.is_finished());
    manager(RedisStore::connect(&new.url()).await.unwrap()).devices_of("ada").end_all().await.unwrap();
    timeout(PATIENCE, watched).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn notices_come_though_the_connection_for_them_is_silent() {
    let server = RedisServer::start();
    let proxy = FaultProxy::start(server.address()).await;
    let here = manager(RedisStore::connect(&server.url_through(&proxy)).await.unwrap());
    let handle = log_in(&here).await;
    let watched = tokio::spawn(async move { handle.ended().await.unwrap() });
    listened_to(&server).await;
    // The one for commands goes on, so nothing but silence shows it.
    proxy.strand_last();
    manager(RedisStore::connect(&server.url()).await.unwrap()).devices_of("ada").end_all().await.unwrap();
    timeout(PATIENCE, watched).await.unwrap().unwrap();
    assert_eq!(proxy.connections(), 3);
}

#[tokio::test]
async fn another_password() {
    let server = RedisServer::start();
    let allow = |password: &str| {
        server.cli(&["ACL", "DELUSER", "web"]);
        assert_eq!(server.cli(&["ACL", "SETUSER", "web", "on", password, "~*", "&*", "+@all"]), "OK");
    };
    allow(">old");
    let store = RedisStore::connect(&with_login(&server, "web:old")).await.unwrap();
    allow(">new");
    let reason = assert_kind(store.ping().await, Unavailable);
    assert!(reason.contains("authentication failed"), "{reason}");
    assert!(!reason.contains("old") && !reason.contains("new"), "{reason}");
    allow(">old");
    while store.ping().await.is_err() {}
}

#[tokio::test]
async fn a_replica_is_refused_at_once_and_the_error_says_what_to_do() {
    let server = RedisServer::start();
    server.cli(&["ACL", "SETUSER", "web", "on", ">secret", "-@all", "+ping"]);
    server.cli(&["REPLICAOF", "127.0.0.1", "1"]);
    for resp3 in ["", "?protocol=resp3"] {
        // The question needs no permission.
        let url = format!("{}{resp3}", with_login(&server, "web:secret"));
        let began = Instant::now();
        let error = RedisStore::connect(&url).await.unwrap_err().to_string();
        assert!(error.contains("is a replica") && error.contains("address"), "{error}");
        assert!(began.elapsed() < Duration::from_secs(10));
    }
    server.cli(&["REPLICAOF", "NO", "ONE"]);
    RedisStore::connect(&with_login(&server, "web:secret")).await.unwrap();
}
