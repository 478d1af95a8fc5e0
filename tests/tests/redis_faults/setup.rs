//! Tests of the ways to reach a server.

use sessionkit::redis::RedisStore;
use sessionkit_core::Store;
use sessionkit_core::StoreErrorKind::{Unavailable, Unsupported};
use sessionkit_tests::harness::Log;
use sessionkit_tests::servers::redis::RedisServer;

use super::support::{ID, KEY, assert_kind, commit_set, create, key, remove, text};

pub(crate) fn with_login(server: &RedisServer, login: &str) -> String {
    server.url().replace("://", &format!("://{login}@"))
}

async fn use_everything(store: &RedisStore) {
    create(store, &[("a", "1")]).await;
    commit_set(store, "a", "2").await.unwrap();
    assert_eq!(text(store, "a").await.as_deref(), Some("2"));
    assert!(remove(store).await.unwrap());
    store.ping().await.unwrap();
}

#[tokio::test]
async fn tls() {
    let mut server = RedisServer::builder().tls().start();
    let ca = std::fs::read(server.ca_path().unwrap()).unwrap();
    for host in ["127.0.0.1", "localhost"] {
        let url = server.url().replace("127.0.0.1", host);
        let store = RedisStore::builder(url).ca_certificate(ca.as_slice()).build().unwrap();
        use_everything(&store).await;
        server.restart();
        // A load notices that the connection is gone, and comes back on another.
        assert!(store.load(&key()).await.unwrap().is_none());
        use_everything(&store).await;
    }

    let other = RedisServer::builder().tls().start();
    let other_ca = std::fs::read(other.ca_path().unwrap()).unwrap();
    let stranger = RedisStore::builder(server.url()).ca_certificate(other_ca).build().unwrap();
    let reason = assert_kind(stranger.ping().await, Unavailable);
    assert!(reason.contains("certificate"), "{reason}");
    // The system's authorities do not know this server, or there are none.
    assert!(RedisStore::connect(&server.url()).await.is_err());
    let plain = server.url().replace("rediss", "redis");
    assert!(RedisStore::connect(&plain).await.is_err());

    let error = RedisStore::builder(server.url()).ca_certificate("no PEM").build().unwrap_err();
    assert!(error.to_string().contains("PEM"), "{error}");
}

#[tokio::test]
async fn password() {
    let server = RedisServer::start();
    server.cli(&["CONFIG", "SET", "requirepass", "hunter2@/:"]);
    let store = RedisStore::connect(&with_login(&server, ":hunter2%40%2F%3A")).await.unwrap();
    use_everything(&store).await;
    assert!(!format!("{store:?}").contains("hunter2"));
    assert!(format!("{store:?}").contains(&server.address().to_string()), "{store:?}");

    assert_kind(RedisStore::new(&server.url()).unwrap().load(&key()).await, Unavailable);
    let wrong = RedisStore::new(&with_login(&server, ":swordfish")).unwrap();
    let reason = assert_kind(wrong.ping().await, Unavailable);
    assert!(!reason.contains("swordfish") && !reason.contains("hunter2"), "{reason}");
    let error = RedisStore::connect(&with_login(&server, "ada:swordfish")).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("swordfish"), "{error}");
}

/// The commands that a restricted user needs.
pub(crate) fn documented_permissions() -> String {
    let documentation = include_str!("../../../sessionkit/src/redis/mod.rs");
    let (_, list) = documentation.split_once("A restricted user needs `").unwrap();
    list.split_once('`').unwrap().0.replace("//!", " ")
}

#[tokio::test]
async fn a_user_with_the_permissions_that_the_documentation_names() {
    let permissions = documented_permissions();
    let server = RedisServer::start();
    let mut command = vec!["ACL", "SETUSER", "web", "on", ">secret", "~session:*"];
    command.extend(permissions.split_whitespace());
    assert_eq!(server.cli(&command), "OK");
    let store = RedisStore::connect(&format!("{}2", with_login(&server, "web:secret"))).await.unwrap();
    use_everything(&store).await;
}

#[tokio::test]
async fn database() {
    let server = RedisServer::start();
    let store = RedisStore::connect(&format!("{}3", server.url())).await.unwrap();
    create(&store, &[]).await;
    assert_eq!(server.cli(&["-n", "3", "EXISTS", KEY]), "1");
    assert_eq!(server.cli(&["-n", "0", "DBSIZE"]), "0");
    server.cli(&["CLIENT", "KILL", "TYPE", "normal"]);
    assert!(store.load(&key()).await.unwrap().is_some(), "a new connection is to the same database");
}

#[tokio::test]
async fn prefixes_keep_stores_apart() {
    let server = RedisServer::start();
    let shop = RedisStore::builder(server.url()).prefix("shop:").build().unwrap();
    let office = RedisStore::builder(server.url()).prefix("office:").build().unwrap();
    create(&shop, &[("a", "1")]).await;
    assert!(office.load(&key()).await.unwrap().is_none());
    create(&office, &[("a", "2")]).await;
    assert_eq!(text(&shop, "a").await.as_deref(), Some("1"));
    assert_eq!(server.cli(&["EXISTS", &shop.key(ID), &office.key(ID)]), "2");
}

#[cfg(unix)]
#[tokio::test]
async fn unix_socket() {
    use std::time::Duration;
    // A socket whose server is not there: the address is understood, and the error is of the right kind.
    let directory = tempfile::tempdir().unwrap();
    let url = format!("unix://{}/redis.sock", directory.path().display());
    let store = RedisStore::builder(url).connect_timeout(Duration::from_secs(5)).build().unwrap();
    let reason = assert_kind(store.ping().await, Unavailable);
    assert!(reason.contains("No such file"), "{reason}");
}

#[tokio::test]
async fn sessions_that_travel_unencrypted_are_a_warning() {
    let log = Log::collect();
    let warnings = || log.text().matches("redis_unencrypted").count();
    for quiet in ["redis://:hunter2@localhost", "rediss://:hunter2@redis.internal", "unix:///run/redis.sock"] {
        RedisStore::builder(quiet).build().unwrap();
        assert_eq!(warnings(), 0, "{quiet}: {}", log.text());
    }
    RedisStore::builder("redis://ada:hunter2@redis.internal").build().unwrap();
    let text = log.text();
    assert!(warnings() == 1 && text.contains("WARN sessionkit") && text.contains("redis.internal"), "{text}");
    assert!(text.contains("rediss://") && !text.contains("hunter2"), "{text}");
}

#[tokio::test]
async fn a_password_beside_the_url() {
    let server = RedisServer::start();
    server.cli(&["ACL", "SETUSER", "web", "on", ">p@ss/word", "~*", "&*", "+@all"]);
    server.cli(&["CONFIG", "SET", "requirepass", "p@ss:word"]);
    use_everything(&RedisStore::builder(server.url()).password("p@ss:word").build().unwrap()).await;
    use_everything(&RedisStore::builder(server.url()).user("web", "p@ss/word").build().unwrap()).await;
    let wrong = RedisStore::builder(server.url()).user("web", "p@ss:word").build().unwrap();
    let reason = assert_kind(wrong.ping().await, Unavailable);
    assert!(!reason.contains("p@ss"), "{reason}");
}

#[tokio::test]
async fn a_connection_of_the_application() {
    let server = RedisServer::start();
    let client = redis::Client::open(server.url()).unwrap();
    let connection = client.get_multiplexed_async_connection().await.unwrap();
    let store = RedisStore::from_connection(connection, "shop:");
    create(&store, &[("a", "1")]).await;
    assert_eq!(server.cli(&["EXISTS", &store.key(ID)]), "1");
    assert!(store.key(ID).starts_with("shop:"));
    assert_kind(store.scan(sessionkit_core::EntryKind::Session, None, 10).await, Unsupported);
    assert_eq!(server.cli(&["PUBSUB", "CHANNELS"]), "", "nobody listens");
    // It does not come back, and says so.
    server.cli(&["CLIENT", "KILL", "TYPE", "normal"]);
    assert_kind(store.load(&key()).await, Unavailable);
    assert_kind(store.ping().await, Unavailable);
    assert_kind(commit_set(&store, "a", "2").await, sessionkit_core::StoreErrorKind::Unknown);
}

/// A runtime as each `#[tokio::test]` has one of its own.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn tests_share_a_store_that_one_of_them_built() {
    let server = RedisServer::start();
    for was_used in [false, true] {
        let first = runtime();
        let store = first.block_on(async {
            let store = RedisStore::new(&server.url()).unwrap();
            if was_used {
                store.ping().await.unwrap();
            }
            store
        });
        drop(first);
        runtime().block_on(use_everything(&store));
    }
}

#[test]
fn tests_share_a_store_whose_runtime_lasts() {
    let (server, lasting) = (RedisServer::start(), tokio::runtime::Runtime::new().unwrap());
    let store = RedisStore::builder(server.url()).runtime(lasting.handle().clone()).build().unwrap();
    for _ in ["one test", "another"] {
        runtime().block_on(use_everything(&store));
    }
}
