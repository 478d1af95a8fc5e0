//! Values that somebody else put there.

use sessionkit::redis::RedisStore;
use sessionkit_core::StoreErrorKind::Corrupt;
use sessionkit_core::{CommitOutcome, CreateOutcome, Delta, FieldOp, HeaderOp, SecretHash, Store};
use sessionkit_tests::servers::redis::RedisServer;

use super::support::{
    ID, KEY, NOW, add, assert_kind, commit, create, field_delta, header, header_delta, record, set, text,
};

async fn prepare() -> (RedisServer, RedisStore) {
    let server = RedisServer::start();
    let store = RedisStore::connect(&server.url()).await.unwrap();
    (server, store)
}

#[tokio::test]
async fn a_key_that_is_no_hash() {
    let (server, store) = prepare().await;
    for make in [["SET", KEY, "value"], ["RPUSH", KEY, "value"], ["SADD", KEY, "value"]] {
        server.cli(&make);
        let before = server.cli(&["DUMP", KEY]);
        let reason = assert_kind(store.load(ID, NOW).await, Corrupt);
        assert!(reason.contains(KEY), "{reason}");
        let reason = assert_kind(commit(&store, &field_delta([set("a", "1")])).await, Corrupt);
        assert!(reason.contains(KEY), "{reason}");
        let outcome = store.create(ID, &record(header(), &[]), NOW).await.unwrap();
        assert_eq!(outcome, CreateOutcome::Taken);
        assert_eq!(server.cli(&["DUMP", KEY]), before, "[P6] nothing is changed");
        assert!(store.destroy(ID).await.unwrap());
        assert_eq!(server.cli(&["EXISTS", KEY]), "0");
    }
}

#[tokio::test]
async fn a_hash_whose_header_is_damaged() {
    let (server, store) = prepare().await;
    let other_version =
        r#"local h = redis.call('HGET', KEYS[1], '@'); redis.call('HSET', KEYS[1], '@', '\2' .. h:sub(2))"#;
    let damages: [&[&str]; 7] = [
        &["HDEL", KEY, "@"],
        &["HSET", KEY, "@", ""],
        &["HSET", KEY, "@", "garbage"],
        &["EVAL", other_version, "1", KEY],
        &["HSET", KEY, "@prev", "short"],
        &["HSET", KEY, "@prev", "01234567890123456789012345678901x"],
        &["HSET", KEY, "@ttl", "soon"],
    ];
    for damage in damages {
        create(&store, &[("a", "1")]).await;
        server.cli(damage);
        let before = server.cli(&["HGETALL", KEY]);
        if !damage.contains(&"@ttl") {
            assert_kind(store.load(ID, NOW).await, Corrupt);
        }
        let rotate = header_delta([HeaderOp::Rotate { secret: SecretHash::from_bytes([9; 32]) }]);
        for delta in [Delta::new(), field_delta([set("a", "2")]), rotate] {
            assert_kind(commit(&store, &delta).await, Corrupt);
        }
        assert_eq!(server.cli(&["HGETALL", KEY]), before, "[P6] {damage:?}: nothing is changed");
        assert!(store.destroy(ID).await.unwrap());
    }
}

#[tokio::test]
async fn a_field_whose_flags_are_damaged() {
    let (server, store) = prepare().await;
    for garbage in ["!", "!x 1", "!c", "!@1x 1", "!cc 1", "!@ 1"] {
        create(&store, &[("a", "1"), ("bad", "1")]).await;
        server.cli(&["HSET", KEY, "bad", garbage]);
        let before = server.cli(&["HGETALL", KEY]);
        let reason = assert_kind(store.load(ID, NOW).await, Corrupt);
        assert!(reason.contains("`bad`"), "{reason}");
        let replace = FieldOp::Replace { key: "bad".into(), expected: Some(b"1".to_vec()), value: None };
        for op in [add("bad"), replace, FieldOp::Clear { keep_carried: true }] {
            let delta = field_delta([set("a", "2"), op]);
            let reason = assert_kind(commit(&store, &delta).await, Corrupt);
            assert!(reason.contains("`bad`"), "{reason}");
            assert_eq!(server.cli(&["HGETALL", KEY]), before, "[P6] {garbage}: nothing is changed");
        }
        let heal = field_delta([set("bad", "2")]);
        assert!(matches!(commit(&store, &heal).await, Ok(CommitOutcome::Committed(_))));
        assert_eq!(text(&store, "bad").await.as_deref(), Some("2"), "a plain set puts it right");
        assert!(store.destroy(ID).await.unwrap());
    }
}

#[tokio::test]
async fn a_field_that_is_no_integer() {
    let (server, store) = prepare().await;
    create(&store, &[("a", "1"), ("n", "5")]).await;
    server.cli(&["HSET", KEY, "n", "five"]);
    let before = server.cli(&["HGETALL", KEY]);
    let reason = assert_kind(commit(&store, &field_delta([set("a", "2"), add("n")])).await, Corrupt);
    assert!(reason.contains("`n`"), "{reason}");
    assert_eq!(server.cli(&["HGETALL", KEY]), before, "[P6] nothing is changed");
}

#[tokio::test]
async fn what_a_later_version_adds_to_the_header_is_left_alone() {
    let (server, store) = prepare().await;
    create(&store, &[("a", "1")]).await;
    server.cli(&["HSET", KEY, "@later", "something"]);
    assert_eq!(store.load(ID, NOW).await.unwrap().unwrap().fields().count(), 1);
    let delta = field_delta([FieldOp::Clear { keep_carried: false }]);
    assert!(matches!(commit(&store, &delta).await, Ok(CommitOutcome::Committed(_))));
    assert_eq!(server.cli(&["HGET", KEY, "@later"]), "something");
    assert_eq!(server.cli(&["HLEN", KEY]), "2");
}
