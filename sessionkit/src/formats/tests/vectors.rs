//! Worked examples of the formats, byte for byte. Their secrets are published, so they are not checked.

use serde_json::Value;

use super::super::CookieFormat as _;
#[cfg(feature = "muffin")]
use super::super::Muffin;
#[cfg(feature = "itsdangerous")]
use super::super::{DjangoSessionData, FastapiSessionsId, Flask, Starlette, TimestampSigner};
use super::*;

fn vector(format: &str) -> Value {
    let vectors: Vec<Value> = serde_json::from_str(include_str!("vectors.json")).unwrap();
    vectors.into_iter().find(|vector| vector["format"] == format).unwrap()
}

fn text<'a>(vector: &'a Value, name: &str) -> &'a str {
    vector[name].as_str().unwrap()
}

fn content_of(value: &Value) -> CookieContent {
    CookieContent::new(value.as_object().unwrap().clone())
}

#[cfg(feature = "itsdangerous")]
#[test]
fn row_16_starlette() {
    let vector = vector("starlette");
    let format = Starlette::new(Secrets::unchecked([text(&vector, "secret")]));
    let cookie = text(&vector, "cookie");
    let content = content_of(&serde_json::from_str(text(&vector, "payload")).unwrap());
    assert_eq!(format.write(&content, NOW).as_deref(), Ok(cookie));
    let read = format.read(cookie, NOW).unwrap();
    assert_eq!((read.values, read.written_at), (content.values, Some(NOW)));
}

#[cfg(feature = "itsdangerous")]
#[test]
fn row_16_fastapi_sessions() {
    let vector = vector("fastapi-sessions");
    let format = FastapiSessionsId::new(Secrets::unchecked([text(&vector, "secret")]), text(&vector, "cookie_name"));
    let (id, cookie) = (text(&vector, "payload"), text(&vector, "cookie"));
    assert_eq!(format.write_id(id, NOW).as_deref(), Ok(cookie));
    assert_eq!(format.read_id(cookie, NOW).as_deref(), Ok(id));
}

#[cfg(feature = "itsdangerous")]
#[test]
fn flask() {
    let vector = vector("flask");
    let secrets = Secrets::unchecked([text(&vector, "secret")]);
    let format = Flask::new(secrets.clone());
    let cookie = text(&vector, "cookie");
    let read = format.read(cookie, NOW).unwrap();
    assert_eq!(Value::Object(read.values.clone()), json!({"_user_id": "42", "_fresh": true, "csrf_token": "abc"}));
    // The keys of the example are in the order in which they came to be; ours, and those of an application, are sorted.
    let value = cookie.split('.').next().unwrap();
    let signed = TimestampSigner::with_hmac_keys(secrets, "cookie-session").sign(value, NOW);
    assert_eq!(signed, cookie);
    let written = format.write(&read, NOW).unwrap();
    assert_eq!(format.read(&written, NOW).unwrap().values, read.values);
    assert_eq!(written.len(), cookie.len());

    let compressed = text(&vector, "compressed_cookie");
    let read = format.read(compressed, NOW).unwrap();
    let (key, value) = read.values.iter().next().unwrap();
    assert!(key == "k" && value.as_str().unwrap().bytes().all(|byte| byte == b'a'), "{read:?}");
    assert!(format.write(&read, NOW).unwrap().starts_with('.'));
}

#[cfg(feature = "itsdangerous")]
#[test]
fn django() {
    let vector = vector("django-db");
    let format = DjangoSessionData::new(Secrets::unchecked([text(&vector, "secret_key")]));
    let session_data = text(&vector, "session_data");
    let values = format.read(session_data).unwrap();
    assert!(values.contains_key("_auth_user_id"), "{:?}", values.keys());
    let written = format.write(&values, NOW).unwrap();
    assert_eq!(format.read(&written), Ok(values));
    for at in 0..session_data.len() {
        assert_eq!(format.read(&session_data[..at]), Err(InvalidCookie), "cut at {at}");
    }
}

#[cfg(feature = "muffin")]
#[test]
fn row_20_muffin_base64() {
    let vector = vector("muffin-base64");
    let format = Muffin::dangerous_unauthenticated_base64();
    let (content, cookie) = (content_of(&vector["payload"]), text(&vector, "cookie"));
    assert_eq!(format.write(&content, NOW).as_deref(), Ok(cookie));
    assert_eq!(format.read(cookie, NOW), Ok(content));
}

#[cfg(feature = "muffin")]
#[test]
fn row_20_muffin_jwt() {
    let vector = vector("muffin-jwt");
    let format = Muffin::jwt(Secrets::unchecked([text(&vector, "secret")]));
    let (content, cookie) = (content_of(&vector["payload"]), text(&vector, "cookie"));
    assert_eq!(format.write(&content, NOW).as_deref(), Ok(cookie));
    assert_eq!(format.read(cookie, NOW), Ok(content));
}

/// The bytes are those of the format Fernet, whose own tests compare them.
#[cfg(feature = "muffin")]
#[test]
fn row_20_muffin_fernet() {
    let vector = vector("muffin-fernet");
    let format = Muffin::fernet(Secrets::unchecked([text(&vector, "secret")])).unwrap();
    let read = format.read(text(&vector, "cookie"), NOW).unwrap();
    assert_eq!((read.values, read.written_at), (content_of(&vector["payload"]).values, Some(NOW)));
}
