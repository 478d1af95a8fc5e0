//! The worked example, what is refused, and what is written.

use serde_json::{Value, json};
use sessionkit_core::ForeignErrorKind::{Ended, Invalid, Unavailable, Unreadable};

use super::super::testing::{Fault, MapRecords, NOW, SECRET, kind, later, object};
use super::*;

const OTHER: &str = "p0m2sC9YVXL4hR7dQfT1nWzKbE8uJgA5";

fn secrets<const N: usize>(secrets: [&str; N]) -> Secrets {
    Secrets::new(secrets).unwrap()
}

fn sessions(records: MapRecords) -> FastapiSession<MapRecords> {
    FastapiSession::new(&secrets([SECRET]), records, ["user", "cart"])
}

fn encryptor() -> Encryptor {
    Encryptor::new(&secrets([SECRET]))
}

fn cookie() -> String {
    FastapiSessionId::new(secrets([SECRET])).write_id("session-1", NOW).unwrap()
}

/// Keeps these bytes as the value `user` of the session of the cookie.
fn with(record: impl Into<Vec<u8>>) -> FastapiSession<MapRecords> {
    let key = key_of(&encryptor(), &encryptor().encrypt(b"session-1"), "user");
    sessions(MapRecords::of([(key, record.into())]))
}

fn with_text(text: &[u8]) -> FastapiSession<MapRecords> {
    with(encryptor().encrypt(text))
}

#[tokio::test]
async fn row_12_the_worked_example_is_read() {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("../../formats/tests/vectors.json")).unwrap();
    let vector = vectors.into_iter().find(|vector| vector["format"] == "fastapi_session-fernet").unwrap();
    let text = |name: &str| vector[name].as_str().unwrap();
    let secrets = Secrets::unchecked([text("secret")]);
    let encryptor = Encryptor::new(&secrets);
    for (plain, name) in
        [("session-1", "stored_namespace"), ("user", "stored_key_user"), ("42", "stored_value_json_42")]
    {
        assert_eq!(encryptor.encrypt(plain.as_bytes()), text(name));
        assert_eq!(encryptor.decrypt(text(name).as_bytes()).as_deref(), Some(plain.as_bytes()));
    }
    let key = format!("{}:{}", text("stored_namespace"), text("stored_key_user"));
    let records = MapRecords::of([(key, text("stored_value_json_42").into())]);
    let sessions = FastapiSession::new(&secrets, records, ["cart", "user"]);
    let session = sessions.open(text("cookie"), NOW).await.unwrap();
    assert_eq!((session.id(), &session.values), ("session-1", &object(json!({"user": 42}))));
    sessions.end(&session).await.unwrap();
    assert_eq!(kind(sessions.open(text("cookie"), NOW).await), Ended);
    sessions.end(&session).await.expect("it has ended before");
}

#[tokio::test]
async fn row_12_what_is_written_is_read() {
    let sessions = sessions(MapRecords::default());
    let session = ForeignSession::new("", object(json!({"user": 7, "cart": ["\u{e9}", 1.5, null]})));
    let first = sessions.write(&session, NOW).await.unwrap();
    let mut read = sessions.open(&first, NOW).await.unwrap();
    assert_eq!((read.id().len(), &read.values), (32, &session.values));
    read.values.remove("cart");
    read.expires_at = Some(later(60));
    let second = sessions.write(&read, NOW).await.unwrap();
    for cookie in [&first, &second] {
        assert_eq!(sessions.open(cookie, NOW).await.unwrap().values, object(json!({"user": 7})), "the id stays");
    }
    let key = key_of(&encryptor(), &encryptor().encrypt(read.id().as_bytes()), "user");
    assert_eq!(sessions.records.ttl(&key), Some(Duration::from_secs(60)));
    let other = sessions.write(&session, NOW).await.unwrap();
    assert_ne!(sessions.open(&other, NOW).await.unwrap().id(), read.id());

    let unknown = ForeignSession::new("", object(json!({"unknown": "a secret"})));
    let error = sessions.write(&unknown, NOW).await.unwrap_err().to_string();
    assert!(error.contains("`unknown`") && !error.contains("a secret"), "{error}");
}

#[tokio::test]
async fn a_cookie_ends_with_its_age() {
    let sessions = with_text(b"1");
    assert!(sessions.open(&cookie(), later(14 * 86_400)).await.is_ok());
    assert_eq!(kind(sessions.open(&cookie(), later(14 * 86_400 + 1)).await), Invalid);
    let short = sessions.max_age(Duration::from_secs(60));
    assert!(short.open(&cookie(), later(60)).await.is_ok());
    assert_eq!(kind(short.open(&cookie(), later(61)).await), Invalid);
    assert_eq!(
        kind(short.open(&cookie(), NOW.saturating_sub(Duration::from_secs(61))).await),
        Invalid,
        "from the future"
    );
}

#[tokio::test]
async fn an_altered_cookie_opens_nothing() {
    let (sessions, cookie) = (with_text(b"1"), cookie());
    for at in 0..cookie.len() {
        let mut bytes = cookie.clone().into_bytes();
        bytes[at] ^= 1;
        assert_eq!(kind(sessions.open(&String::from_utf8(bytes).unwrap(), NOW).await), Invalid);
        assert_eq!(kind(sessions.open(&cookie[..at], NOW).await), Invalid);
    }
    let theirs = FastapiSessionId::new(secrets([OTHER])).write_id("session-1", NOW).unwrap();
    for cookie in ["", "session-1", &theirs, &"a".repeat(1_000_000)] {
        assert_eq!(kind(sessions.open(cookie, NOW).await), Invalid);
    }
    assert_eq!(sessions.records.asked(), 0);
}

#[tokio::test]
async fn the_records_are_of_the_secret_of_the_cookie() {
    let records = MapRecords::default();
    let names = ["user"];
    let session = ForeignSession::new("session-1", object(json!({"user": 1})));
    let old = FastapiSession::new(&secrets([SECRET]), records.clone(), names);
    let old_cookie = old.write(&session, NOW).await.unwrap();
    let both = FastapiSession::new(&secrets([OTHER, SECRET]), records.clone(), names);
    assert_eq!(both.open(&old_cookie, NOW).await.unwrap().values, session.values);
    let newer = ForeignSession::new("session-1", object(json!({"user": 2})));
    let new_cookie = both.write(&newer, NOW).await.unwrap();
    assert_eq!(both.open(&old_cookie, NOW).await.unwrap().values, session.values);
    assert_eq!(both.open(&new_cookie, NOW).await.unwrap().values, newer.values);
    assert_eq!(kind(old.open(&new_cookie, NOW).await), Invalid);
    both.end(&session).await.unwrap();
    assert_eq!(kind(both.open(&old_cookie, NOW).await), Ended);
    assert_eq!(kind(both.open(&new_cookie, NOW).await), Ended);
    assert!(!format!("{both:?}").contains(OTHER), "{both:?}");
}

#[tokio::test]
async fn what_is_no_record_is_refused() {
    let record = encryptor().encrypt(b"1");
    for at in 0..record.len() {
        let mut altered = record.clone().into_bytes();
        altered[at] ^= 1;
        assert_eq!(kind(with(altered).open(&cookie(), NOW).await), Unreadable, "{at}");
        assert_eq!(kind(with(&record[..at]).open(&cookie(), NOW).await), Unreadable, "{at}");
    }
    let other = Encryptor::new(&secrets([OTHER])).encrypt(b"1");
    let large = encryptor().encrypt(&[b'1'; 100_000]);
    let good = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, &record).unwrap();
    let three = base64_of(&format!("{}:00", String::from_utf8(good).unwrap()));
    for record in [&b"\xff"[..], other.as_bytes(), large.as_bytes(), three.as_bytes(), b"\x80\x04}."] {
        assert_eq!(kind(with(record).open(&cookie(), NOW).await), Unreadable);
    }
    let deep = "[".repeat(100_000);
    for text in
        [&b""[..], b"NaN", b"\x80\x04}.", b"\"\xff\"", b"{\"a\":1,\"a\":2}", b"100000000000000000000", deep.as_bytes()]
    {
        let error = with_text(text).open(&cookie(), NOW).await.unwrap_err();
        assert!(error.kind() == Unreadable && !error.to_string().contains("1000"), "{error}");
    }
}

/// Several values that are small enough each can be too large together.
#[tokio::test]
async fn all_values_together_have_a_limit() {
    let namespace = encryptor().encrypt(b"session-1");
    let record = encryptor().encrypt(format!("\"{}\"", "a".repeat(60_000)).as_bytes());
    assert!(record.len() < LARGEST_RECORD && record.len() * 2 > LARGEST_RECORD);
    let records = ["user", "cart"].map(|name| (key_of(&encryptor(), &namespace, name), record.clone().into_bytes()));
    assert_eq!(kind(sessions(MapRecords::of(records)).open(&cookie(), NOW).await), Unreadable);
}

#[tokio::test]
async fn a_store_that_fails_is_no_session_that_has_ended() {
    assert_eq!(kind(sessions(MapRecords::failing(Fault)).open(&cookie(), NOW).await), Unavailable);
}

fn base64_of(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}
