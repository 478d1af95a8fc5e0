//! Tests of the keys in the server: their bytes, their lifetimes, and the commands and memory that they cost.

use std::time::Duration;

use sessionkit::redis::RedisStore;
use sessionkit_core::{Entry, EntryKey, Generation, ReplaceOutcome, Revision, SessionId, Store};
use sessionkit_tests::servers::redis::RedisServer;

use super::support::{HELD, KEY, TTL, commit, create, entry, key, remove};

async fn prepare() -> (RedisServer, RedisStore) {
    let server = RedisServer::start();
    let store = RedisStore::connect(&server.url()).await.unwrap();
    (server, store)
}

#[tokio::test]
async fn a_session_is_one_string() {
    let (server, store) = prepare().await;
    create(&store, &[("cart.items", r#"{"7":2}"#)]).await;
    assert_eq!(server.cli(&["TYPE", KEY]), "string");
    assert_eq!(server.cli(&["GETRANGE", KEY, "87", "-1"]), "\0\ncart.items\0\u{7}{\"7\":2}");
    assert_eq!(store.key(SessionId::from_bytes([7; 16])), KEY);
}

/// The engine decides how long; Redis follows its own clock.
#[tokio::test]
async fn redis_keeps_an_entry_as_long_as_it_is_told() {
    let (server, store) = prepare().await;
    let left = || server.cli(&["PTTL", KEY]).parse::<u128>().expect("the key expires");
    let assert_left = |expected: Duration, what: &str| {
        let (left, most) = (left(), expected.as_millis());
        assert!((most - 60_000..=most).contains(&left), "{what}: {left} of {most} ms");
    };
    create(&store, &[("a", "1")]).await;
    assert_left(TTL, "inserted");
    let century = Duration::from_secs(100 * 366 * 86_400);
    for (reclaim_in, expected) in [(TTL * 2, TTL * 2), (TTL, TTL), (century, century), (Duration::MAX, century)] {
        let entry = Entry::new(entry(&[]).bytes(), reclaim_in);
        assert_eq!(store.replace(&key(), HELD, &entry).await.unwrap(), ReplaceOutcome::Replaced);
        assert_left(expected, "replaced");
    }
    server.cli(&["PERSIST", KEY]);
    commit(&store, &[]).await.unwrap();
    assert_left(TTL, "an expiry that was taken away comes back");
    let entry = Entry::new(entry(&[]).bytes(), Duration::ZERO);
    store.replace(&key(), HELD, &entry).await.unwrap();
    while store.load(&key()).await.unwrap().is_some() {}
}

#[tokio::test]
async fn a_call_is_one_command() {
    let (server, store) = prepare().await;
    create(&store, &[("a", "1")]).await;
    commit(&store, &[]).await.unwrap();
    // The server has all scripts from here on.
    store.remove(&EntryKey::session(SessionId::from_bytes([8; 16])), Generation::default()).await.unwrap();
    let commands = || {
        let statistics = server.cli(&["INFO", "commandstats"]);
        server.cli(&["CONFIG", "RESETSTAT"]);
        let name = |line: &str| Some(line.strip_prefix("cmdstat_")?.split_once(",usec")?.0.to_owned());
        let mut names: Vec<String> = statistics.lines().filter_map(name).collect();
        let ours = ["config", "info", "command", "hello", "role"];
        names.retain(|name| !ours.iter().any(|ours| name.starts_with(ours)));
        names.sort();
        names
    };
    commands();
    store.load(&key()).await.unwrap();
    assert_eq!(commands(), ["get:calls=1"]);
    commit(&store, &[("b", "1")]).await.unwrap();
    // Those besides the script are what it does inside.
    assert_eq!(commands(), ["evalsha:calls=1", "getrange:calls=1", "set:calls=1"]);
    store.replace(&key(), Revision::from_bytes([1; 8]), &entry(&[])).await.unwrap();
    assert_eq!(commands(), ["evalsha:calls=1", "get:calls=1", "getrange:calls=1"]);
    remove(&store).await.unwrap();
    assert_eq!(commands(), ["evalsha:calls=1", "getrange:calls=1", "unlink:calls=1"]);
    create(&store, &[]).await;
    assert_eq!(commands(), ["set:calls=1"]);
    store.load_many(&[key(), key()]).await.unwrap();
    assert_eq!(commands(), ["mget:calls=1"]);
}

#[tokio::test]
async fn a_session_takes_less_than_300_bytes() {
    let (server, store) = prepare().await;
    let fields = [("profile.name", r#""Ada Byron, Countess""#), ("cart.items", "[1001,1002,1003,1004,1005]")];
    create(&store, &fields).await;
    let bytes: usize = server.cli(&["MEMORY", "USAGE", KEY]).parse().unwrap();
    assert!(bytes <= 300, "{bytes}");
    commit(&store, &fields).await.unwrap();
    let bytes: usize = server.cli(&["MEMORY", "USAGE", KEY]).parse().unwrap();
    assert!(bytes <= 300, "after a commit: {bytes}");
}
