//! Sessions of fastapi-sessions, and those of fastapi_session.

use serde_json::{Value, json};
use sessionkit::migration::ForeignErrorKind::{Ended, Invalid};
use sessionkit::migration::{FastapiSession, FastapiSessions, ForeignCookie, ForeignSessions as _};

use crate::{OTHER, SECRET, ask, ask_cookie, kind, new_session, now, object, records, secrets, url, values};

#[tokio::test]
async fn row_17_sessions_of_fastapi_sessions() {
    let records = records().await;
    let of = |secret, name: &'static str| {
        FastapiSessions::new(secrets([secret]), ForeignCookie::new(name), records.clone(), |id| format!("session:{id}"))
    };
    let sessions = of(SECRET, "cookie");
    let in_redis = |more: Value| {
        let mut request = object(&json!({"url": url(), "prefix": "session:"}));
        request.extend(object(&more));
        Value::Object(request)
    };
    let id = ask_cookie("redis", "write", in_redis(json!({"values": values()})));
    let cookie = ask_cookie("fastapi-sessions", "write", json!({"secret": SECRET, "name": "cookie", "id": id}));
    let session = sessions.open(&cookie, now()).await.unwrap();
    assert_eq!(Value::Object(session.values.clone()), values());
    assert_eq!(kind(of(OTHER, "cookie").open(&cookie, now()).await), Invalid);
    assert_eq!(kind(of(SECRET, "other").open(&cookie, now()).await), Invalid);

    let ours = sessions.write(&new_session(), now()).await.unwrap();
    let id = ask("fastapi-sessions", "read", json!({"secret": SECRET, "name": "cookie", "cookie": ours}));
    let id = id.as_str().unwrap();
    let hyphens = [&id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..]].join("-");
    assert_eq!(ask("redis", "read", in_redis(json!({"cookie": hyphens}))), values());

    sessions.end(&session).await.unwrap();
    assert_eq!(kind(sessions.open(&cookie, now()).await), Ended);
}

#[tokio::test]
async fn row_12_sessions_of_fastapi_session() {
    let names = ["user_id", "name", "price", "big", "small", "cart", "more"];
    let records = records().await;
    let sessions = FastapiSession::new(&secrets([OTHER, SECRET]), records.clone(), names);
    let old = FastapiSession::new(&secrets([SECRET]), records, names);
    let request = |more: Value| {
        let mut request = object(&json!({"url": url(), "secret": SECRET}));
        request.extend(object(&more));
        Value::Object(request)
    };
    let cookie = ask_cookie("fastapi-session", "write", request(json!({"values": values()})));
    let session = sessions.open(&cookie, now()).await.unwrap();
    assert_eq!(Value::Object(session.values.clone()), values());

    let read = |cookie: &str| ask("fastapi-session", "read", request(json!({"cookie": cookie})));
    assert_eq!(read(&old.write(&new_session(), now()).await.unwrap()), values());
    let mut changed = session.clone();
    changed.values.insert("more".to_owned(), json!(["\u{e9}"]));
    changed.values.remove("cart");
    let again = old.write(&changed, now()).await.unwrap();
    assert_eq!((read(&again), read(&cookie)), (Value::Object(changed.values.clone()), Value::Object(changed.values)));

    sessions.end(&session).await.unwrap();
    assert_eq!(read(&cookie), json!({}));
    assert_eq!(kind(sessions.open(&cookie, now()).await), Ended);
    assert_eq!(kind(old.open(&sessions.write(&new_session(), now()).await.unwrap(), now()).await), Invalid);
}
