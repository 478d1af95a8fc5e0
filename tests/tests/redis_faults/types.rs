//! Values that somebody else put there.

use sessionkit::redis::RedisStore;
use sessionkit_core::StoreErrorKind::Corrupt;
use sessionkit_core::{EntryKind, Generation, InsertOutcome, RemoveOutcome, ReplaceOutcome, Revision, Store};
use sessionkit_tests::servers::redis::RedisServer;

use super::support::{HELD, KEY, assert_kind, create, entry, key, remove};

/// A revision that no entry here has; `HELD`, the default one, replaces what is too short to have any.
const ANOTHER: Revision = Revision::from_bytes([7; 8]);

async fn prepare() -> (RedisServer, RedisStore) {
    let server = RedisServer::start();
    let store = RedisStore::connect(&server.url()).await.unwrap();
    (server, store)
}

#[tokio::test]
async fn a_key_that_is_no_string() {
    let (server, store) = prepare().await;
    for make in [&["RPUSH", KEY, "value"][..], &["SADD", KEY, "value"], &["HSET", KEY, "field", "value"]] {
        server.cli(make);
        let before = server.cli(&["DUMP", KEY]);
        let reason = assert_kind(store.load(&key()).await, Corrupt);
        assert!(reason.contains(KEY), "{reason}");
        let reason = assert_kind(store.replace(&key(), ANOTHER, &entry(&[])).await, Corrupt);
        assert!(reason.contains(KEY), "{reason}");
        assert_eq!(store.insert(&key(), &entry(&[])).await.unwrap(), InsertOutcome::Taken);
        assert_eq!(store.load_many(&[key()]).await.unwrap(), [None]);
        assert!(store.scan(EntryKind::Session, None, 100).await.unwrap().entries.is_empty());
        assert_eq!(server.cli(&["DUMP", KEY]), before, "[P6] nothing is changed");
        assert!(remove(&store).await.unwrap());
        assert_eq!(server.cli(&["EXISTS", KEY]), "0");
        server.cli(make);
        assert_eq!(store.replace(&key(), HELD, &entry(&[])).await.unwrap(), ReplaceOutcome::Replaced);
        assert!(remove(&store).await.unwrap());
    }
}

#[tokio::test]
async fn a_string_that_is_too_short() {
    let (server, store) = prepare().await;
    for text in ["", "v", "12345678", "123456789012"] {
        server.cli(&["SET", KEY, text]);
        assert_eq!(store.load(&key()).await.unwrap().unwrap().bytes(), text.as_bytes());
        let outcome = store.replace(&key(), ANOTHER, &entry(&[])).await.unwrap();
        assert!(matches!(outcome, ReplaceOutcome::Changed(found) if found.bytes() == text.as_bytes()), "{text:?}");
        let replaced = store.replace(&key(), HELD, &entry(&[])).await.unwrap() == ReplaceOutcome::Replaced;
        assert_eq!(replaced, text.len() <= 8, "{text:?}: it is too short to have a revision");
        assert!(remove(&store).await.unwrap(), "{text:?}");
        assert_eq!(server.cli(&["EXISTS", KEY]), "0");
    }
}

#[tokio::test]
async fn a_user_of_the_server_who_may_not_look_removes_nothing() {
    let (server, store) = prepare().await;
    create(&store, &[]).await;
    server.cli(&["ACL", "SETUSER", "blind", "on", ">secret", "~*", "&*", "+@all", "-getrange"]);
    let blind = RedisStore::connect(&super::setup::with_login(&server, "blind:secret")).await.unwrap();
    assert!(blind.remove(&key(), Generation::from_number(9)).await.is_err());
    assert!(blind.remove(&key(), Generation::default()).await.is_err());
    assert_eq!(server.cli(&["EXISTS", KEY]), "1", "it did not compare, so it did not remove");
    assert_eq!(store.remove(&key(), Generation::default()).await.unwrap(), RemoveOutcome::Removed);
}
