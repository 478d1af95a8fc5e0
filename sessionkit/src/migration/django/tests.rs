//! The worked example, what is refused, and what is written.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use sessionkit_core::ForeignErrorKind::{Ended, Invalid, Unavailable, Unreadable, Unsupported};

use super::super::testing::{Fault, MapTable, NOW, SECRET, kind, later, object};
use super::*;

const KEY: &str = "k2mz8qv0x1c4b7n9a3s5d6f0g8h1j2l4";
const OTHER: &str = "p0m2sC9YVXL4hR7dQfT1nWzKbE8uJgA5";

fn secrets<const N: usize>(secrets: [&str; N]) -> Secrets {
    Secrets::new(secrets).unwrap()
}

/// The passwords of an application with one user, 7.
async fn password_of(id: String) -> Result<Option<String>, ForeignError> {
    Ok((id == "7").then(|| "pbkdf2_sha256$1000$salt$hash".to_owned()))
}

type Opens = DjangoSessions<MapTable<DjangoRow>, fn(String) -> BoxedPassword>;
type BoxedPassword = std::pin::Pin<Box<dyn Future<Output = Result<Option<String>, ForeignError>> + Send>>;

fn sessions(secrets: Secrets, rows: impl IntoIterator<Item = (String, DjangoRow)>) -> Opens {
    DjangoSessions::new(secrets, MapTable::of(rows), |id| Box::pin(password_of(id)))
}

fn with(values: Value) -> Opens {
    let data = DjangoSessionData::new(secrets([SECRET])).write(&object(values), NOW).unwrap();
    sessions(secrets([SECRET]), [(KEY.to_owned(), DjangoRow::new(data, later(60)))])
}

fn hash(secret: &str, password: &str) -> String {
    AuthHash::new(&secrets([secret])).of(password)
}

fn logged_in(secret: &str) -> Value {
    json!({USER_ID: "7", USER_HASH: hash(secret, "pbkdf2_sha256$1000$salt$hash"), "cart": ["a"]})
}

#[tokio::test]
async fn row_18_the_worked_example_is_read_and_its_user_checked() {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("../../formats/tests/vectors.json")).unwrap();
    let vector = vectors.into_iter().find(|vector| vector["format"] == "django-db").unwrap();
    let text = |name: &str| vector[name].as_str().unwrap();
    let secret = Secrets::unchecked([text("secret_key")]);
    let auth_hash = AuthHash::new(&secret);
    assert_eq!(auth_hash.of(text("password_hash")), text("session_auth_hash"));
    assert!(auth_hash.verifies(text("session_auth_hash"), text("password_hash")));
    let data = DjangoSessionData::new(secret.clone()).read(text("session_data")).unwrap();
    let row = (KEY.to_owned(), DjangoRow::new(text("session_data"), later(60)));
    // Its own hash is of no password.
    assert_eq!(data[USER_ID], "1");
    assert_eq!(kind(sessions(secret, [row]).open(KEY, NOW).await), Invalid);
}

#[tokio::test]
async fn row_18_a_session_is_opened_and_ended() {
    let opened = with(logged_in(SECRET));
    let session = opened.open(KEY, later(59)).await.unwrap();
    assert_eq!((session.id(), session.expires_at), (KEY, Some(later(60))));
    assert_eq!(session.values, object(logged_in(SECRET)));
    assert_eq!(kind(opened.open(KEY, later(60)).await), Ended);
    opened.end(&session).await.unwrap();
    assert_eq!(kind(opened.open(KEY, NOW).await), Ended);
    opened.end(&session).await.expect("it has ended before");
    assert!(with(json!({"cart": []})).open(KEY, NOW).await.is_ok(), "of nobody");
}

#[tokio::test]
async fn the_password_is_checked() {
    let right = hash(SECRET, "pbkdf2_sha256$1000$salt$hash");
    for values in [
        json!({USER_ID: "7"}),
        json!({USER_ID: "7", USER_HASH: null}),
        json!({USER_ID: "7", USER_HASH: ""}),
        json!({USER_ID: "7", USER_HASH: [right]}),
        json!({USER_ID: "7", USER_HASH: right[..63]}),
        json!({USER_ID: "7", USER_HASH: format!("{right}0")}),
        json!({USER_ID: "7", USER_HASH: right.to_uppercase()}),
        json!({USER_ID: "7", USER_HASH: hash(SECRET, "pbkdf2_sha256$1000$salt$other")}),
        json!({USER_ID: "7", USER_HASH: hash(OTHER, "pbkdf2_sha256$1000$salt$hash")}),
        json!({USER_ID: "8", USER_HASH: right}),
    ] {
        assert_eq!(kind(with(values.clone()).open(KEY, NOW).await), Invalid, "{values}");
    }
    for id in [json!(7), json!(null), json!(["7"])] {
        assert_eq!(kind(with(json!({USER_ID: id, USER_HASH: right})).open(KEY, NOW).await), Unreadable);
    }
    for at in 0..64 {
        let mut flipped = right.clone().into_bytes();
        flipped[at] = if flipped[at] == b'0' { b'1' } else { b'0' };
        let values = json!({USER_ID: "7", USER_HASH: String::from_utf8(flipped).unwrap()});
        assert_eq!(kind(with(values).open(KEY, NOW).await), Invalid);
    }
}

#[tokio::test]
async fn secrets_are_replaced_as_with_secret_key_fallbacks() {
    let data = DjangoSessionData::new(secrets([SECRET])).write(&object(logged_in(SECRET)), NOW).unwrap();
    let row = || (KEY.to_owned(), DjangoRow::new(&*data, later(60)));
    assert!(sessions(secrets([OTHER, SECRET]), [row()]).open(KEY, NOW).await.is_ok());
    let error = sessions(secrets([OTHER]), [row()]).open(KEY, NOW).await.unwrap_err();
    assert_eq!(error.kind(), Unreadable);
}

#[tokio::test]
async fn what_is_no_session_data_is_refused() {
    let large = "a".repeat(1_000_000);
    let cookie = crate::formats::CookieFormat::write(
        &crate::formats::Django::new(secrets([SECRET])),
        &crate::formats::CookieContent::new(object(logged_in(SECRET))),
        NOW,
    );
    let pickled = "gASVEgAAAAAAAAB9lIwHdXNlcl9pZJRLe3Mu:1r31eq:AAAA";
    for data in ["", "{}", "a:b:c", pickled, &large, &cookie.unwrap(), "\u{e9}:1:\u{e9}"] {
        let opened = sessions(secrets([SECRET]), [(KEY.to_owned(), DjangoRow::new(data, later(60)))]);
        assert_eq!(kind(opened.open(KEY, NOW).await), Unreadable, "{}", &data[..data.len().min(50)]);
    }
    let data = DjangoSessionData::new(secrets([SECRET])).write(&object(logged_in(SECRET)), NOW).unwrap();
    for at in 0..data.len() {
        let mut altered = data.clone().into_bytes();
        altered[at] ^= 1;
        let row = DjangoRow::new(String::from_utf8(altered).unwrap(), later(60));
        assert_eq!(kind(sessions(secrets([SECRET]), [(KEY.to_owned(), row)]).open(KEY, NOW).await), Unreadable);
    }
}

#[tokio::test]
async fn only_keys_are_looked_for() {
    let opened = with(json!({}));
    let long = "a".repeat(1_000_000);
    let strange = [
        "",
        &KEY[1..],
        &format!("{KEY}a"),
        &KEY.to_uppercase(),
        &KEY.replace('k', "'"),
        &KEY.replace("k2", "\u{e9}"),
        &long,
    ];
    for cookie in strange {
        assert_eq!(kind(opened.open(cookie, NOW).await), Invalid, "{}", &cookie[..cookie.len().min(50)]);
    }
    assert_eq!(opened.table.asked.load(Ordering::Relaxed), 0);
    assert_eq!(kind(opened.open(&KEY.replace('k', "a"), NOW).await), Ended);
}

#[tokio::test]
async fn what_is_written_is_read() {
    let written = sessions(secrets([SECRET]), []).ttl(Duration::from_secs(60));
    let session = ForeignSession::new("", object(json!({USER_ID: "7", "cart": ["a"]})));
    let key = written.write(&session, NOW).await.unwrap();
    assert!(is_key(&key), "{key}");
    let read = written.open(&key, NOW).await.unwrap();
    assert_eq!((&read.values["cart"], read.expires_at), (&json!(["a"]), Some(later(60))));
    assert_eq!(read.values[BACKEND], "django.contrib.auth.backends.ModelBackend");
    assert_eq!(written.write(&read, NOW).await.unwrap(), key, "the key stays");
    assert_ne!(written.write(&session, NOW).await.unwrap(), key);
    let gone = ForeignSession::new("", object(json!({USER_ID: "8"})));
    assert_eq!(kind(written.write(&gone, NOW).await), Unsupported);
}

#[tokio::test]
async fn a_database_that_fails_is_no_session_that_has_ended() {
    let mut failing = with(logged_in(SECRET));
    failing.table.fails = true;
    assert_eq!(kind(failing.open(KEY, NOW).await), Unavailable);
    let asked = AtomicUsize::new(0);
    let data = DjangoSessionData::new(secrets([SECRET])).write(&object(logged_in(SECRET)), NOW).unwrap();
    let table = MapTable::of([(KEY.to_owned(), DjangoRow::new(data, later(60)))]);
    let failing = DjangoSessions::new(secrets([SECRET]), table, move |_| {
        asked.fetch_add(1, Ordering::Relaxed);
        async { Err(ForeignError::unavailable(Fault)) }
    });
    assert_eq!(kind(failing.open(KEY, NOW).await), Unavailable);
}

#[test]
fn secrets_and_values_are_not_shown() {
    let shown = format!("{:?} {:?}", with(logged_in(SECRET)), DjangoRow::new("a secret", NOW));
    assert!(!shown.contains(SECRET) && !shown.contains("a secret"), "{shown}");
}

#[test]
fn a_new_key_is_random() {
    let keys: std::collections::HashSet<String> = (0..100).map(|_| random_key()).collect();
    assert!(keys.len() == 100 && keys.iter().all(|key| is_key(key)), "{keys:?}");
}
