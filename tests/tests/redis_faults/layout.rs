//! What lies in the server, how long, and what it costs.

use std::time::Duration;

use sessionkit::redis::RedisStore;
use sessionkit_core::{
    Authenticate, CommitOutcome, CredentialStamp, Delta, FieldOp, Generation, HeaderOp, LoginDetails, SecretHash,
    SessionId, Store, StoredValue, Timestamp,
};
use sessionkit_tests::servers::redis::RedisServer;

use super::support::{ID, KEY, NOW, TTL, add, commit, create, field_delta, header, header_delta, record, set};

async fn prepare() -> (RedisServer, RedisStore) {
    let server = RedisServer::start();
    let store = RedisStore::connect(&server.url()).await.unwrap();
    (server, store)
}

fn authenticate(ttl: u64, absolute: Option<Timestamp>) -> HeaderOp {
    let ttl = Duration::from_secs(ttl);
    let (user, label) = ("ada".into(), Some("laptop".into()));
    let mut details = LoginDetails::default();
    details.methods = vec!["pwd".into(), "otp".into()];
    details.actor = Some("grace".into());
    details.stamp = Some(CredentialStamp::from_bytes(*b"12345678"));
    HeaderOp::Authenticate(Authenticate {
        user,
        at: NOW,
        ttl,
        absolute_deadline: absolute,
        device_label: label,
        details: details.shared(),
    })
}

#[tokio::test]
async fn the_hash_is_readable() {
    let (server, store) = prepare().await;
    create(&store, &[("cart.items", r#"{"7":2}"#), ("cart.note", "!important")]).await;
    let deadline = NOW.saturating_add(Duration::from_secs(600));
    let code = StoredValue { bytes: b"\"123\"".to_vec(), carried: true, deadline: Some(deadline) };
    let theme = StoredValue { bytes: b"\"dark\"".to_vec(), carried: true, deadline: None };
    let mut delta = header_delta([authenticate(60, None)]);
    delta.fields = vec![
        FieldOp::Set { key: "login.code".into(), value: code },
        FieldOp::Set { key: "ui.theme".into(), value: theme },
        add("cart.views"),
    ];
    assert!(matches!(commit(&store, &delta).await, Ok(CommitOutcome::Committed(_))));
    let expected = [
        ("cart.items", r#"{"7":2}"#),
        ("cart.note", "! !important"),
        ("cart.views", "1"),
        ("login.code", "!c@1800000600 \"123\""),
        ("ui.theme", "!c \"dark\""),
        ("@user", "ada"),
        ("@label", "laptop"),
        ("@methods", "pwd otp"),
        ("@actor", "grace"),
        ("@stamp", "12345678"),
        ("@ttl", "1800000600"),
    ];
    for (field, value) in expected {
        assert_eq!(server.cli(&["HGET", KEY, field]), value, "{field}");
    }
    assert_eq!(server.cli(&["HLEN", KEY]), (expected.len() + 1).to_string());
    let header: usize = server.cli(&["HSTRLEN", KEY, "@"]).parse().unwrap();
    assert!(header <= 64, "the header is small, so that Redis packs the hash: {header}");

    let secret = |byte| SecretHash::from_bytes([byte; 32]);
    let until = NOW.saturating_add(Duration::from_secs(30));
    let renew = HeaderOp::Renew { if_current: secret(1), secret: secret(b'n'), at: NOW };
    commit(&store, &header_delta([renew, HeaderOp::EndPrevious { if_current: secret(b'n'), until }])).await.unwrap();
    let previous = server.cli(&["HGET", KEY, "@prev"]);
    assert!(previous.ends_with("1800000030"), "{previous}");
    commit(&store, &header_delta([HeaderOp::Rotate { secret: secret(3) }])).await.unwrap();
    assert_eq!(server.cli(&["HEXISTS", KEY, "@prev"]), "0");
}

/// The script looks for fields whose time is up only when one is: it must know when, and no longer than it has to.
#[tokio::test]
async fn the_earliest_deadline_of_a_field_is_known() {
    let (server, store) = prepare().await;
    create(&store, &[("a", "1")]).await;
    let at = |seconds| NOW.saturating_add(Duration::from_secs(seconds));
    let until = |key: &'static str, seconds| {
        let value = StoredValue { bytes: b"1".to_vec(), carried: false, deadline: Some(at(seconds)) };
        FieldOp::Set { key: key.into(), value }
    };
    let steps = [
        (0, vec![until("late", 300)], "1800000300"),
        (0, vec![until("early", 100), until("middle", 200)], "1800000100"),
        (99, vec![set("a", "2")], "1800000100"),
        (100, vec![set("a", "3")], "1800000200"),
        (200, vec![until("new", 250)], "1800000250"),
        (200, vec![FieldOp::Clear { keep_carried: true }], ""),
        (200, vec![until("last", 201)], "1800000201"),
        (201, vec![], ""),
    ];
    for (now, ops, expected) in steps {
        let what = format!("{ops:?} after {now} s");
        let outcome = store.commit(ID, Generation::from_number(0), &field_delta(ops), at(now)).await.unwrap();
        assert!(matches!(outcome, CommitOutcome::Committed(_)), "{what}: {outcome:?}");
        assert_eq!(server.cli(&["HGET", KEY, "@ttl"]), expected, "{what}");
    }
}

/// The manager's clock decides, wherever it is, and Redis follows a minute behind.
#[tokio::test]
async fn redis_never_forgets_before_the_deadline() {
    let (server, store) = prepare().await;
    let assert_expiry = |deadline: Timestamp, now: Timestamp, what: &str| {
        let left: u64 = server.cli(&["TTL", KEY]).parse().expect("the key expires");
        let needed = deadline.saturating_duration_since(now).as_secs();
        assert!((needed + 50..=needed + 60).contains(&left), "{what}: {left} s where {needed} s are needed");
    };
    create(&store, &[("a", "1")]).await;
    assert_expiry(NOW.saturating_add(TTL), NOW, "created");

    let at = |seconds| NOW.saturating_add(Duration::from_secs(seconds));
    let steps = [
        (0, 0, vec![], at(3600)),
        (100, 0, vec![], at(3600)),
        (3599, 0, vec![], at(3600)),
        (50, 0, vec![HeaderOp::Touch { last_seen: at(50), idle_deadline: at(100) }], at(3600)),
        (50, 0, vec![HeaderOp::Touch { last_seen: at(50), idle_deadline: at(90_000) }], at(90_000)),
        (0, 0, vec![authenticate(500, None)], at(500)),
        (0, 0, vec![authenticate(500, Some(at(40)))], at(40)),
        (39, 0, vec![HeaderOp::Touch { last_seen: at(39), idle_deadline: at(90_000) }], at(40)),
        (
            0,
            0,
            vec![authenticate(400 * 86_400, None), HeaderOp::Rotate { secret: SecretHash::from_bytes([2; 32]) }],
            at(400 * 86_400),
        ),
        (86_400 * 399, 1, vec![], at(400 * 86_400)),
    ];
    for (now, generation, ops, deadline) in steps {
        let what = format!("{ops:?} after {now} s");
        let mut delta = header_delta(ops);
        delta.fields.push(set("a", "2"));
        let outcome = store.commit(ID, Generation::from_number(generation), &delta, at(now)).await.unwrap();
        let CommitOutcome::Committed(receipt) = outcome else { panic!("{what}: {outcome:?}") };
        assert_eq!(receipt.deadline, deadline, "{what}");
        assert_expiry(deadline, at(now), &what);
    }

    server.cli(&["PERSIST", KEY]);
    store.commit(ID, Generation::from_number(1), &Delta::new(), NOW).await.unwrap();
    assert_expiry(at(400 * 86_400), NOW, "an expiry that was taken away comes back");
}

#[tokio::test]
async fn a_call_is_one_command() {
    let (server, store) = prepare().await;
    let secret = SecretHash::from_bytes([2; 32]);
    create(&store, &[("a", "1")]).await;
    commit(&store, &Delta::new()).await.unwrap();
    // The server has all scripts from here on.
    store.destroy(SessionId::from_bytes([8; 16])).await.unwrap();
    let commands = || {
        let statistics = server.cli(&["INFO", "commandstats"]);
        server.cli(&["CONFIG", "RESETSTAT"]);
        let name = |line: &str| Some(line.strip_prefix("cmdstat_")?.split_once(",usec")?.0.to_owned());
        let mut names: Vec<String> = statistics.lines().filter_map(name).collect();
        names.retain(|name| !name.starts_with("config") && !name.starts_with("info") && !name.starts_with("command"));
        names.sort();
        names
    };
    commands();
    store.load(ID, NOW).await.unwrap();
    assert_eq!(commands(), ["hgetall:calls=1"]);
    let mut delta = header_delta([HeaderOp::Rotate { secret }]);
    delta.fields = vec![set("b", "1"), FieldOp::Remove { key: "a".into() }, add("n")];
    commit(&store, &delta).await.unwrap();
    // Those besides the script are what it does inside.
    let inside = ["expire", "hdel", "hget", "hmget", "hset", "publish"].map(|name| format!("{name}:calls=1"));
    assert_eq!(commands(), [&["evalsha:calls=1".to_owned()], &inside[..]].concat());
    store.destroy(ID).await.unwrap();
    assert_eq!(commands(), ["evalsha:calls=1", "publish:calls=1", "unlink:calls=1"]);
    create(&store, &[]).await;
    assert_eq!(commands(), ["evalsha:calls=1", "exists:calls=1", "expire:calls=1", "hset:calls=1"]);
}

#[tokio::test]
async fn a_session_takes_less_than_300_bytes() {
    let (server, store) = prepare().await;
    let mut header = header();
    header.user = Some("184467440737".into());
    let fields = [("profile.name", r#""Ada Byron, Countess""#), ("cart.items", "[1001,1002,1003,1004,1005]")];
    store.create(ID, &record(header, &fields), NOW).await.unwrap();
    let bytes: usize = server.cli(&["MEMORY", "USAGE", KEY]).parse().unwrap();
    assert!(bytes <= 300, "{bytes}");
    assert_eq!(server.cli(&["OBJECT", "ENCODING", KEY]), "listpack");

    commit(&store, &field_delta([set("cart.items", "[1001,1002,1003,1004,1006]")])).await.unwrap();
    let bytes: usize = server.cli(&["MEMORY", "USAGE", KEY]).parse().unwrap();
    assert!(bytes <= 300, "after a commit: {bytes}");
}
