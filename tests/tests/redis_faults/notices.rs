//! Notices of sessions that ended: who hears them, and what happens when nobody does.

use std::time::Duration;

use sessionkit::redis::RedisStore;
use sessionkit::{SessionConfig, SessionManager};
use sessionkit_core::Store;
use sessionkit_tests::harness::{NEVER, watch};
use sessionkit_tests::servers::redis::RedisServer;
use tokio::task;

use super::setup::{documented_permissions, with_login};
use super::support::{ID, create, remove};

async fn store(server: &RedisServer) -> RedisStore {
    RedisStore::connect(&server.url()).await.unwrap()
}

fn manager(store: RedisStore, watch_interval: Duration) -> SessionManager {
    SessionManager::new(
        store,
        SessionConfig::builder().track_devices(true).watch_interval(watch_interval).build().unwrap(),
    )
}

/// Waits until this many servers listen.
async fn listeners(server: &RedisServer, count: usize) {
    while server.cli(&["PUBSUB", "NUMSUB", "session:@ended"]) != format!("session:@ended\n{count}") {
        task::yield_now().await;
    }
}

/// Ends the sessions of `ada` from another server.
async fn end_elsewhere(server: &RedisServer) {
    manager(store(server).await, NEVER).devices_of("ada").end_all().await.unwrap();
}

#[tokio::test]
async fn what_ends_on_one_server_is_told_on_all() {
    let server = RedisServer::start();
    server.cli(&["CONFIG", "SET", "requirepass", "secret"]);
    for url in [with_login(&server, ":secret"), format!("{}3?protocol=resp3", with_login(&server, ":secret"))] {
        let (here, there) =
            (RedisStore::connect(&url).await.unwrap(), manager(RedisStore::connect(&url).await.unwrap(), NEVER));
        let (one, two) = (manager(here.clone(), NEVER), manager(here, NEVER));
        let watches = [watch(&one, "ada").await, watch(&two, "ada").await, watch(&there, "ada").await];
        let other = watch(&one, "bob").await;
        there.devices_of("ada").end_all().await.unwrap();
        for watch in watches {
            watch.await.unwrap();
        }
        assert!(!other.is_finished());
        other.abort();
    }
}

#[tokio::test]
async fn over_tls() {
    let server = RedisServer::builder().tls().start();
    let ca = std::fs::read(server.ca_path().unwrap()).unwrap();
    let manager = manager(RedisStore::builder(server.url()).ca_certificate(ca).build().unwrap(), NEVER);
    let watch = watch(&manager, "ada").await;
    listeners(&server, 1).await;
    manager.devices_of("ada").end_all().await.unwrap();
    watch.await.unwrap();
}

#[tokio::test]
async fn all_watches_share_a_connection_which_ends_with_the_store() {
    let server = RedisServer::start();
    let manager = manager(store(&server).await, NEVER);
    assert_eq!(server.cli(&["PUBSUB", "CHANNELS"]), "", "while nobody watches there is none");
    let watches = [watch(&manager, "ada").await, watch(&manager, "bob").await, watch(&manager, "bob").await];
    listeners(&server, 1).await;
    for watch in &watches {
        watch.abort();
    }
    for watch in watches {
        assert!(watch.await.unwrap_err().is_cancelled());
    }
    drop(manager);
    listeners(&server, 0).await;
}

#[tokio::test]
async fn what_nobody_heard_is_known_when_the_connection_is_back() {
    let mut server = RedisServer::builder().persistent().start();
    let here = manager(store(&server).await, NEVER);

    let watched = watch(&here, "ada").await;
    listeners(&server, 1).await;
    server.cli(&["CLIENT", "KILL", "TYPE", "pubsub"]);
    end_elsewhere(&server).await;
    watched.await.unwrap();

    let watched = watch(&here, "ada").await;
    server.kill();
    task::yield_now().await;
    assert!(!watched.is_finished(), "that nobody can look is not the end");
    server.restart();
    end_elsewhere(&server).await;
    watched.await.unwrap();
}

#[tokio::test]
async fn a_user_of_the_server_who_may_not_tell_ends_sessions_all_the_same() {
    let server = RedisServer::start();
    let permissions = documented_permissions();
    let may = |channels: &[&str]| {
        let mut command =
            vec!["ACL", "SETUSER", "web", "reset", "on", ">secret", "~session:*", "+scan", "resetchannels"];
        command.extend(permissions.split_whitespace().chain(channels.iter().copied()));
        assert_eq!(server.cli(&command), "OK");
    };
    let url = with_login(&server, "web:secret");

    may(&["&session:*"]);
    let told = manager(RedisStore::connect(&url).await.unwrap(), NEVER);
    let watched = watch(&told, "ada").await;
    told.devices_of("ada").end_all().await.unwrap();
    watched.await.unwrap();

    for forbidden in [&[][..], &["-publish", "-subscribe"]] {
        may(forbidden);
        let store = RedisStore::connect(&url).await.unwrap();
        create(&store, &[]).await;
        store.announce(ID);
        assert!(remove(&store).await.unwrap());
        let looks = manager(store, Duration::from_millis(20));
        let watched = watch(&looks, "ada").await;
        looks.devices_of("ada").end_all().await.unwrap();
        watched.await.unwrap();
    }
}

#[tokio::test]
async fn what_others_publish_ends_nothing() {
    let server = RedisServer::start();
    let manager = manager(store(&server).await, NEVER);
    let watched = watch(&manager, "ada").await;
    listeners(&server, 1).await;
    let id = server.cli(&["--scan", "--pattern", "session:??????????????????????"]);
    let id = id.strip_prefix("session:").unwrap();
    for message in ["", "nonsense", "\u{e9}", &"x".repeat(10_000), id] {
        server.cli(&["PUBLISH", "session:@ended", message]);
    }
    // That session is looked at, and is still there.
    assert_eq!(manager.devices_of("ada").list().await.unwrap().len(), 1);
    assert!(!watched.is_finished());
    end_elsewhere(&server).await;
    watched.await.unwrap();
}
