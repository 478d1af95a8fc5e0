//! Sessions of actix-session.

use actix_session::config::CookieContentSecurity;
use actix_session::storage::RedisSessionStore;
use actix_session::{Session, SessionMiddleware};
use actix_web::cookie::Key;
use actix_web::http::header::{COOKIE, SET_COOKIE};
use actix_web::{App, HttpResponse, test, web};
use serde_json::{Value, json};
use sessionkit::migration::ForeignErrorKind::{Ended, Invalid};
use sessionkit::migration::{ActixSession, CookieKey, ForeignSessions as _};

use crate::{kind, new_session, now, object, records, url, values};

fn bytes(first: u8) -> [u8; 64] {
    std::array::from_fn(|at| first.wrapping_add(u8::try_from(at * 3).unwrap()))
}

/// Sends a request to an application with actix-session. `/write` puts the values into the session, and all answer with what is in it.
async fn visit(key: Key, security: CookieContentSecurity, path: &str, cookie: Option<&str>) -> (Option<String>, Value) {
    let store = RedisSessionStore::builder(url()).cache_keygen(|id| format!("actix:{id}")).build().await.unwrap();
    let sessions = SessionMiddleware::builder(store, key).cookie_content_security(security).build();
    let write = |session: Session| async move {
        for (key, value) in object(&values()) {
            session.insert(key, value).unwrap();
        }
        HttpResponse::Ok().finish()
    };
    let read = |session: Session| async move {
        let entries = session.entries();
        let entries = entries.iter().map(|(key, text)| (key.clone(), serde_json::from_str(text).unwrap()));
        web::Json(Value::Object(entries.collect()))
    };
    let app = App::new().wrap(sessions).route("/write", web::get().to(write)).route("/read", web::get().to(read));
    let app = test::init_service(app).await;
    let mut request = test::TestRequest::get().uri(path);
    if let Some(cookie) = cookie {
        request = request.insert_header((COOKIE, format!("id={cookie}")));
    }
    let response = test::call_service(&app, request.to_request()).await;
    let set = response.headers().get(SET_COOKIE).map(|header| header.to_str().unwrap().to_owned());
    let set = set.map(|header| header.split(';').next().unwrap().strip_prefix("id=").unwrap().to_owned());
    let body = test::read_body(response).await;
    (set, serde_json::from_slice(&body).unwrap_or_default())
}

async fn shares_sessions(
    sessions: impl Fn(CookieKey) -> ActixSession<R>,
    ours: CookieKey,
    theirs: Key,
    security: fn() -> CookieContentSecurity,
) {
    let other = sessions(CookieKey::new(&bytes(200)).unwrap());
    let sessions = sessions(ours);
    let (cookie, _) = visit(theirs.clone(), security(), "/write", None).await;
    let cookie = cookie.unwrap();
    let mut session = sessions.open(&cookie, now()).await.unwrap();
    assert_eq!(Value::Object(session.values.clone()), values());
    assert_eq!(kind(other.open(&cookie, now()).await), Invalid);

    let read = |cookie: String| {
        let theirs = theirs.clone();
        async move { visit(theirs, security(), "/read", Some(&cookie)).await.1 }
    };
    let ours = sessions.write(&new_session(), now()).await.unwrap();
    assert_eq!(read(ours).await, values());
    session.values.insert("more".to_owned(), json!(["\u{e9}"]));
    sessions.write(&session, now()).await.unwrap();
    assert_eq!(object(&read(cookie.clone()).await), session.values);

    sessions.end(&session).await.unwrap();
    assert_eq!(read(cookie.clone()).await, json!({}));
    assert_eq!(kind(sessions.open(&cookie, now()).await), Ended);
}

type R = sessionkit::migration::RedisRecords<redis::aio::MultiplexedConnection>;

#[actix_web::test]
async fn row_02_actix_session_and_sessionkit_share_sessions() {
    let records = records().await;
    let private = |key| ActixSession::private(key, records.clone()).prefix("actix:");
    let signed = |key| ActixSession::signed(key, records.clone()).prefix("actix:");
    let key = || CookieKey::new(&bytes(1)).unwrap();
    shares_sessions(private, key(), Key::from(&bytes(1)), || CookieContentSecurity::Private).await;
    shares_sessions(signed, key(), Key::from(&bytes(1)), || CookieContentSecurity::Signed).await;
    let derived = || CookieKey::derive_from(&bytes(1)[..40]).unwrap();
    shares_sessions(private, derived(), Key::derive_from(&bytes(1)[..40]), || CookieContentSecurity::Private).await;
    shares_sessions(signed, derived(), Key::derive_from(&bytes(1)[..40]), || CookieContentSecurity::Signed).await;
}
