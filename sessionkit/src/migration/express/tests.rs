//! The worked example, and attacks on cookies and records.

use std::collections::HashMap;
use std::sync::Mutex;

use sessionkit_core::ForeignErrorKind;

use super::*;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);
const SECRET: &str = "3dBz3wXVEFmPe7Yxkzr8BqkeoYTKqCpO";
const OTHER: &str = "p0m2sC9YVXL4hR7dQfT1nWzKbE8uJgA5";
const ID: &str = "bhoT0peGyfFibks5uyilSWxUabcdefgh";

/// Records in memory, with the time for which they are kept.
#[derive(Default)]
struct Records(Mutex<HashMap<String, (Vec<u8>, Duration)>>);

impl ForeignRecords for &'static Records {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, ForeignError> {
        Ok(self.0.lock().unwrap().get(key).map(|(record, _)| record.clone()))
    }

    async fn set(&self, key: &str, record: Vec<u8>, ttl: Duration) -> Result<(), ForeignError> {
        self.0.lock().unwrap().insert(key.to_owned(), (record, ttl));
        Ok(())
    }

    async fn remove(&self, key: &str) -> Result<(), ForeignError> {
        self.0.lock().unwrap().remove(key);
        Ok(())
    }
}

/// A store that fails.
struct Down;

impl ForeignRecords for Down {
    async fn get(&self, _: &str) -> Result<Option<Vec<u8>>, ForeignError> {
        Err(ForeignError::unavailable("no answer"))
    }

    async fn set(&self, _: &str, _: Vec<u8>, _: Duration) -> Result<(), ForeignError> {
        Err(ForeignError::unavailable("no answer"))
    }

    async fn remove(&self, _: &str) -> Result<(), ForeignError> {
        Err(ForeignError::unavailable("no answer"))
    }
}

type Sessions = ExpressSessions<&'static Records>;

/// Makes sessions, and their records with one under the id.
fn sessions_with(record: impl AsRef<[u8]>) -> (Sessions, &'static Records) {
    let records: &Records = Box::leak(Box::default());
    records.0.lock().unwrap().insert(format!("sess:{ID}"), (record.as_ref().to_vec(), Duration::ZERO));
    (ExpressSessions::new(Secrets::new([SECRET]).unwrap(), records), records)
}

/// Signs any id, as express-session would.
fn signed(id: &str, secret: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap().chain_update(id).finalize().into_bytes();
    let signature = STANDARD_NO_PAD.encode(mac);
    format!("s%3A{id}.{}", signature.replace('+', "%2B").replace('/', "%2F"))
}

fn vector() -> Value {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("../../formats/tests/vectors.json")).unwrap();
    vectors.into_iter().find(|vector| vector["format"] == "express-session").unwrap()
}

async fn kind(sessions: &Sessions, cookie: &str) -> ForeignErrorKind {
    sessions.open(cookie, NOW).await.expect_err(cookie).kind()
}

fn record_until(expires: &str) -> String {
    format!(r#"{{"cookie":{{"expires":{expires},"originalMaxAge":3600000,"path":"/"}},"n":1}}"#)
}

#[tokio::test]
async fn row_16_the_worked_example_is_read_and_written() {
    let vector = vector();
    let text = |name: &str| vector[name].as_str().unwrap();
    let (_, records) = sessions_with(text("redis_value"));
    let sessions = ExpressSessions::new(Secrets::unchecked([text("secret")]), records);
    let on_the_wire = text("set_cookie").strip_prefix("connect.sid=").unwrap().split(';').next().unwrap();
    let ends = Timestamp::from_unix_seconds(1_795_235_698);
    let now = ends.saturating_sub(Duration::from_secs(600));
    for cookie in [on_the_wire, text("cookie_decoded")] {
        let session = sessions.open(cookie, now).await.unwrap();
        assert_eq!(Value::Object(session.values.clone()), json!({"user": "ana", "n": 1}));
        assert_eq!((session.id(), session.expires_at, session.written_at), (ID, Some(ends), None));
        let record: Value = serde_json::from_str(text("redis_value")).unwrap();
        assert_eq!(session.keepsake(), Some(&record["cookie"]));

        assert_eq!(sessions.write(&session, now).await.unwrap(), on_the_wire);
        let (written, ttl) = records.0.lock().unwrap()[&format!("sess:{ID}")].clone();
        assert_eq!(serde_json::from_slice::<Value>(&written).unwrap(), record);
        assert_eq!(ttl, Duration::from_secs(600));
    }
    assert_eq!(sessions.open(on_the_wire, ends).await.unwrap_err().kind(), ForeignErrorKind::Ended);
    let session = sessions.open(on_the_wire, now).await.unwrap();
    sessions.end(&session).await.unwrap();
    assert_eq!(sessions.open(on_the_wire, now).await.unwrap_err().kind(), ForeignErrorKind::Ended);
    sessions.end(&session).await.unwrap();
}

#[tokio::test]
async fn each_altered_cookie_is_refused_alike() {
    let (sessions, _) = sessions_with(record_until("null"));
    let cookie = signed(ID, SECRET);
    assert!(sessions.open(&cookie, NOW).await.is_ok());
    for bit in 0..cookie.len() * 8 {
        let mut altered = cookie.clone().into_bytes();
        altered[bit / 8] ^= 1 << (bit % 8);
        let Ok(altered) = String::from_utf8(altered) else { continue };
        let error = sessions.open(&altered, NOW).await.expect_err(&altered);
        assert_eq!((error.kind(), &*error.to_string()), (ForeignErrorKind::Invalid, "the cookie is not valid"));
    }
    for end in 0..cookie.len() {
        assert_eq!(kind(&sessions, &cookie[..end]).await, ForeignErrorKind::Invalid);
    }
}

#[tokio::test]
async fn no_other_cookie_is_read() {
    let (sessions, _) = sessions_with(record_until("null"));
    let valid = signed(ID, SECRET);
    let (_, signature) = valid.split_once('.').unwrap();
    for cookie in [
        signed(ID, OTHER),
        signed("", SECRET),
        // An id that is not signed, as `express-session` 1.0 took.
        ID.to_owned(),
        format!("s:{ID}"),
        format!("s:{ID}."),
        format!("j:{ID}.{signature}"),
        format!("S%3A{ID}.{signature}"),
        format!("s%3a{ID}.{signature}"),
        // As an alphabet of base64 that `cookie-signature` does not use, with padding, and with more behind it.
        valid.replace("%2B", "-").replace("%2F", "_") + "x",
        format!("{valid}%3D"),
        format!("{valid} "),
        format!("{valid}%00"),
        format!("\"{valid}\""),
        "s%3A%FF.x".to_owned(),
        "a".repeat(1 << 20),
        signed(&"a".repeat(20_000), SECRET),
        String::new(),
    ] {
        assert_eq!(kind(&sessions, &cookie).await, ForeignErrorKind::Invalid, "{}", &cookie[..cookie.len().min(90)]);
    }
    // A dot is part of an id: the last one ends it.
    assert_eq!(kind(&sessions, &signed(&format!("{ID}.x"), SECRET)).await, ForeignErrorKind::Ended);
}

#[tokio::test]
async fn the_first_secret_signs_and_all_verify() {
    let (_, records) = sessions_with(record_until("null"));
    let sessions = ExpressSessions::new(Secrets::new([OTHER, SECRET]).unwrap(), records);
    for secret in [SECRET, OTHER] {
        let session = sessions.open(&signed(ID, secret), NOW).await.unwrap();
        assert_eq!(sessions.write(&session, NOW).await.unwrap(), signed(ID, OTHER));
    }
    assert!(!format!("{sessions:?}").contains(SECRET), "{sessions:?}");
}

#[tokio::test]
async fn hostile_records_are_not_read() {
    let cookie = r#""cookie":{"originalMaxAge":null,"expires":null}"#;
    let huge = format!(r#"{{{cookie},"a":"{}"}}"#, "a".repeat(1 << 20));
    let deep = format!(r#"{{{cookie},"a":{}1{}}}"#, "[".repeat(10_000), "]".repeat(10_000));
    for record in [
        &*format!(r#"{{{cookie},"__proto__":{{"admin":true}}}}"#),
        &format!(r#"{{{cookie},"a":[{{"b":{{"__proto__":1}}}}]}}"#),
        &format!(r#"{{{cookie},"a":{{"constructor":{{"prototype":{{"admin":true}}}}}}}}"#),
        &format!(r#"{{{cookie},"a":{{"prototype":null}}}}"#),
        &format!(r#"{{{cookie},"\u005f_proto__":1}}"#),
        r#"{"cookie":{"expires":null,"__proto__":{}}}"#,
        &format!(r#"{{{cookie},"a":1,"a":2}}"#),
        &format!(r#"{{{cookie},"a":18446744073709551616}}"#),
        &huge,
        &deep,
        "[]",
        r#"[{"cookie":{}}]"#,
        "null",
        "7",
        "\"text\"",
        "{",
        "",
        "not JSON",
        r#"{"user":"ana"}"#,
        r#"{"cookie":null,"user":"ana"}"#,
        r#"{"cookie":[],"user":"ana"}"#,
        r#"{"cookie":"","user":"ana"}"#,
        &record_until("1795235698700"),
        &record_until("true"),
        &record_until("{}"),
        &record_until("\"soon\""),
        &record_until("\"2026-02-30T00:00:00.000Z\""),
    ] {
        let (sessions, _) = sessions_with(record);
        let error = sessions.open(&signed(ID, SECRET), NOW).await.expect_err(record);
        assert_eq!(error.kind(), ForeignErrorKind::Unreadable, "{}", &record[..record.len().min(90)]);
        assert!(!error.to_string().contains("admin"), "{error}");
    }
    for bytes in [&b"{\"cookie\":{},\"a\":\"\xff\"}"[..], b"\x80\x04\x95\x00.", b"\x81\xa6cookie\x80"] {
        let (sessions, _) = sessions_with(bytes);
        assert_eq!(kind(&sessions, &signed(ID, SECRET)).await, ForeignErrorKind::Unreadable);
    }
}

#[tokio::test]
async fn a_session_ends_when_its_cookie_does() {
    for (expires, ended) in [
        ("null", false),
        ("false", false),
        ("\"2023-11-14T22:13:20.999Z\"", true),
        ("\"2023-11-14T22:13:21.000Z\"", false),
        ("\"1970-01-01T00:00:00.000Z\"", true),
        ("\"+275760-09-13T00:00:00.000Z\"", false),
    ] {
        let (sessions, _) = sessions_with(record_until(expires));
        let opened = sessions.open(&signed(ID, SECRET), NOW).await.map_err(|error| error.kind());
        assert_eq!(opened.err(), ended.then_some(ForeignErrorKind::Ended), "{expires}");
    }
}

#[tokio::test]
async fn a_rolling_session_ends_when_its_record_is_gone() {
    let (sessions, records) = sessions_with(record_until("\"2023-11-14T00:00:00.000Z\""));
    let (sessions, cookie) = (sessions.rolling(true), signed(ID, SECRET));
    let session = sessions.open(&cookie, NOW).await.unwrap();
    assert_eq!(session.expires_at, Some(NOW.saturating_add(Duration::from_secs(3600))));
    sessions.write(&session, NOW).await.unwrap();
    let (record, ttl) = records.0.lock().unwrap()[&format!("sess:{ID}")].clone();
    assert_eq!(ttl, Duration::from_secs(3600));
    assert_eq!(String::from_utf8(record).unwrap(), record_until("\"2023-11-14T23:13:20.000Z\""));
    // What the record says later than that, stays.
    let (sessions, _) = sessions_with(record_until("\"2026-11-21T04:34:58.700Z\""));
    let session = sessions.rolling(true).open(&cookie, NOW).await.unwrap();
    assert_eq!(session.expires_at, Some(Timestamp::from_unix_seconds(1_795_235_698)));
    for (record, kind) in [
        (r#"{"cookie":{"expires":"2026-11-21T04:34:58.700Z"}}"#, ForeignErrorKind::Unreadable),
        (r#"{"cookie":{"expires":"2026-11-21T04:34:58.700Z","originalMaxAge":-1}}"#, ForeignErrorKind::Unreadable),
    ] {
        let (sessions, _) = sessions_with(record);
        assert_eq!(sessions.rolling(true).open(&cookie, NOW).await.unwrap_err().kind(), kind);
    }
}

#[tokio::test]
async fn a_new_session_has_the_shape_of_theirs() {
    let (sessions, records) = sessions_with("");
    let cookie = ForeignCookie::new("sid").domain("shop.example").same_site(SameSite::Strict);
    let sessions = sessions.cookie(cookie).prefix("app:").ttl(Duration::from_secs(60));
    let values = json!({"user": "ana"}).as_object().unwrap().clone();
    let mut session = ForeignSession::new("", values.clone());
    let first = sessions.write(&session, NOW).await.unwrap();
    let second = sessions.write(&session, NOW).await.unwrap();
    assert_ne!(first, second);
    let read = sessions.open(&first, NOW).await.unwrap();
    let (record, ttl) = records.0.lock().unwrap()[&format!("app:{}", read.id())].clone();
    let record: Value = serde_json::from_slice(&record).unwrap();
    let attributes = json!({
        "originalMaxAge": null, "expires": null, "secure": true, "httpOnly": true, "domain": "shop.example", "path": "/",
        "sameSite": "strict",
    });
    assert_eq!(record, json!({"cookie": attributes, "user": "ana"}));
    assert_eq!((read.id().len(), ttl, read.values, read.expires_at), (32, Duration::from_secs(60), values, None));

    session.expires_at = Some(NOW.saturating_add(Duration::from_secs(3600)));
    let read = sessions.open(&sessions.write(&session, NOW).await.unwrap(), NOW).await.unwrap();
    assert_eq!(read.keepsake().unwrap()["originalMaxAge"], 3_600_000);
    assert_eq!(read.expires_at, session.expires_at);
    // A later end is written into the attributes that were kept.
    let mut longer = read.clone();
    longer.expires_at = Some(NOW.saturating_add(Duration::from_secs(7200)));
    let read = sessions.open(&sessions.write(&longer, NOW).await.unwrap(), NOW).await.unwrap();
    assert_eq!(read.keepsake().unwrap()["expires"], "2023-11-15T00:13:20.000Z");
    assert_eq!((read.id(), read.expires_at), (longer.id(), longer.expires_at));
}

#[tokio::test]
async fn what_would_be_lost_there_is_not_written() {
    let (sessions, records) = sessions_with(record_until("null"));
    let session = sessions.open(&signed(ID, SECRET), NOW).await.unwrap();
    let before = records.0.lock().unwrap().clone();
    let nested = (0..70).fold(Value::Null, |inner, _| json!([inner]));
    let large = json!("a".repeat(super::super::LARGEST_RECORD));
    let cases = [("nested", nested), ("large", large), ("a", json!({"b": {"__proto__": {}}})), ("prototype", json!(1))];
    for (key, value) in cases.into_iter().chain(RESERVED.map(|key| (key, json!(1)))) {
        let mut session = session.clone();
        session.values.insert(key.to_owned(), value);
        assert_eq!(sessions.write(&session, NOW).await.unwrap_err().kind(), ForeignErrorKind::Unsupported, "{key}");
    }
    let strange = session.clone().with_keepsake(json!("another system's"));
    assert_eq!(sessions.write(&strange, NOW).await.unwrap_err().kind(), ForeignErrorKind::Unsupported);
    let mut ended = session;
    ended.expires_at = Some(NOW);
    assert_eq!(sessions.write(&ended, NOW).await.unwrap_err().kind(), ForeignErrorKind::Ended);
    assert_eq!(*records.0.lock().unwrap(), before);
}

#[tokio::test]
async fn a_store_that_fails_is_no_lost_session() {
    let sessions = ExpressSessions::new(Secrets::new([SECRET]).unwrap(), Down);
    let session = ForeignSession::new(ID, Map::new());
    assert_eq!(sessions.open(&signed(ID, SECRET), NOW).await.unwrap_err().kind(), ForeignErrorKind::Unavailable);
    assert_eq!(sessions.write(&session, NOW).await.unwrap_err().kind(), ForeignErrorKind::Unavailable);
    assert_eq!(sessions.end(&session).await.unwrap_err().kind(), ForeignErrorKind::Unavailable);
    // Nothing is asked of it before the signature is verified.
    assert_eq!(sessions.open(&signed(ID, OTHER), NOW).await.unwrap_err().kind(), ForeignErrorKind::Invalid);
}
