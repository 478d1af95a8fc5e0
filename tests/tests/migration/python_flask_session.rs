//! Sessions of Flask-Session.

use serde_json::{Value, json};
use sessionkit::migration::ForeignErrorKind::{Ended, Invalid, Unreadable};
use sessionkit::migration::{FlaskSession, ForeignRecords, ForeignSession, ForeignSessions as _};

use crate::{OTHER, SECRET, ask, ask_cookie, kind, new_session, now, object, records, secrets, url, values};

/// Returns how Flask-Session is set up, with more that its functions take.
fn peer(signed: bool, format: &str, more: Value) -> Value {
    let mut settings = object(&json!({"url": url(), "secret": SECRET, "signed": signed, "format": format}));
    settings.extend(object(&more));
    Value::Object(settings)
}

fn user_values(session: &ForeignSession) -> Value {
    let mut values = session.values.clone();
    assert_eq!(values.remove("_permanent"), Some(json!(true)), "as Flask-Session has it by default");
    Value::Object(values)
}

async fn shares_sessions(sessions: FlaskSession<impl ForeignRecords>, signed: bool, format: &str) {
    let cookie = ask_cookie("flask-session", "write", peer(signed, format, json!({"values": values()})));
    let mut session = sessions.open(&cookie, now()).await.unwrap();
    assert_eq!(user_values(&session), values(), "{format}");

    let read = |cookie: &str| ask("flask-session", "read", peer(signed, format, json!({"cookie": cookie})));
    assert_eq!(read(&sessions.write(&new_session(), now()).await.unwrap()), values());
    session.values.insert("more".to_owned(), json!(["\u{e9}"]));
    assert_eq!(sessions.write(&session, now()).await.unwrap(), cookie);
    assert_eq!(read(&cookie)["more"], json!(["\u{e9}"]));

    sessions.end(&session).await.unwrap();
    assert_eq!(read(&cookie), json!({}));
    assert_eq!(kind(sessions.open(&cookie, now()).await), Ended);
}

#[tokio::test]
async fn flask_session_and_sessionkit_share_sessions() {
    let sessions = FlaskSession::new(records().await);
    shares_sessions(sessions.clone(), false, "msgpack").await;
    shares_sessions(sessions.clone().json(), false, "json").await;
    shares_sessions(sessions.clone().signed(&secrets([SECRET])), true, "msgpack").await;
    shares_sessions(sessions.json().signed(&secrets([SECRET, OTHER])), true, "json").await;
}

/// An application may have changed its `SESSION_SERIALIZATION_FORMAT`.
#[tokio::test]
async fn each_format_of_flask_session_is_read() {
    let sessions = FlaskSession::new(records().await);
    for format in ["json", "msgpack"] {
        let cookie = ask_cookie("flask-session", "write", peer(false, format, json!({"values": values()})));
        assert_eq!(user_values(&sessions.open(&cookie, now()).await.unwrap()), values());
        assert_eq!(kind(sessions.clone().signed(&secrets([SECRET])).open(&cookie, now()).await), Invalid, "not signed");
    }
    let signed = ask_cookie("flask-session", "write", peer(true, "json", json!({"values": values()})));
    assert_eq!(kind(sessions.clone().signed(&secrets([OTHER])).open(&signed, now()).await), Invalid);
    assert_eq!(kind(sessions.open(&signed, now()).await), Invalid, "a signed id is no id");
}

#[tokio::test]
async fn what_python_alone_can_say_is_refused() {
    let sessions = FlaskSession::new(records().await);
    for value in ["bytes", "datetime", "number keys", "nan"] {
        let cookie = ask_cookie("flask-session", "write_strange", peer(false, "msgpack", json!({"value": value})));
        let error = sessions.open(&cookie, now()).await.unwrap_err();
        assert_eq!(error.kind(), Unreadable, "{value}");
        assert!(error.to_string().contains("`strange`"), "{error}");
    }
    for protocol in [0, 2, 3, 4, 5] {
        let cookie = ask_cookie("flask-session", "write_pickle", peer(false, "msgpack", json!({"protocol": protocol})));
        let error = sessions.open(&cookie, now()).await.unwrap_err();
        assert_eq!(error.kind(), Unreadable, "{protocol}");
        assert_eq!(error.to_string().contains("pickle"), protocol > 0, "{error}");
    }
}
