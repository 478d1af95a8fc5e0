//! Sessions of tower-sessions.

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::routing::get;
use redis::AsyncCommands as _;
use redis::aio::MultiplexedConnection;
use serde_json::{Value, json};
use sessionkit::migration::ForeignErrorKind::{Ended, Invalid};
use sessionkit::migration::{CookieKey, ForeignSessions as _, RedisRecords, TowerSessions};
use tower::ServiceExt as _;
use tower_sessions::cookie::Key;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result};
use tower_sessions::{Session, SessionManagerLayer, SessionStore};

use crate::{connection, kind, new_session, now, object, records, values};

/// Stores what the `RedisStore` of tower-sessions-redis-store does, over another client: that one brings a whole client of its own.
#[derive(Clone)]
struct RedisStore(MultiplexedConnection);

impl std::fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RedisStore")
    }
}

fn backend(error: redis::RedisError) -> Error {
    Error::Backend(error.to_string())
}

#[async_trait]
impl SessionStore for RedisStore {
    async fn save(&self, record: &Record) -> Result<()> {
        let bytes = rmp_serde::to_vec(record).map_err(|error| Error::Encode(error.to_string()))?;
        let mut connection = self.0.clone();
        let id = record.id.to_string();
        let _: () = connection.set(&id, bytes).await.map_err(backend)?;
        connection.expire_at(&id, record.expiry_date.unix_timestamp()).await.map_err(backend)
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let bytes: Option<Vec<u8>> = self.0.clone().get(id.to_string()).await.map_err(backend)?;
        bytes.map(|bytes| rmp_serde::from_slice(&bytes)).transpose().map_err(|error| Error::Decode(error.to_string()))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        self.0.clone().del(id.to_string()).await.map_err(backend)
    }
}

/// An application with tower-sessions. `/write` puts the values into the session, and `/read` answers with them.
fn routes() -> Router {
    let write = |session: Session| async move {
        for (key, value) in object(&values()) {
            session.insert(&key, value).await.unwrap();
        }
    };
    let read = |session: Session| async move {
        let mut read = json!({});
        for key in object(&values()).keys().map(String::as_str).chain(["more"]) {
            if let Some(value) = session.get::<Value>(key).await.unwrap() {
                read[key] = value;
            }
        }
        read.to_string()
    };
    Router::new().route("/write", get(write)).route("/read", get(read))
}

async fn visit(app: &Router, path: &str, cookie: Option<&str>) -> (Option<String>, Value) {
    let mut request = Request::get(path);
    if let Some(cookie) = cookie {
        request = request.header(COOKIE, format!("id={cookie}"));
    }
    let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let set = response.headers().get(SET_COOKIE).map(|header| header.to_str().unwrap().to_owned());
    let set = set.map(|header| header.split(';').next().unwrap().strip_prefix("id=").unwrap().to_owned());
    let body = to_bytes(response.into_body(), 1_000_000).await.unwrap();
    (set, serde_json::from_slice(&body).unwrap_or_default())
}

async fn shares_sessions(app: Router, sessions: &TowerSessions<RedisRecords<MultiplexedConnection>>) {
    let (cookie, _) = visit(&app, "/write", None).await;
    let cookie = cookie.unwrap();
    let mut session = sessions.open(&cookie, now()).await.unwrap();
    assert_eq!(Value::Object(session.values.clone()), values());
    let fortnight = session.expires_at.unwrap().saturating_duration_since(now()).as_secs();
    assert!((14 * 86_400 - 60..=14 * 86_400).contains(&fortnight), "{fortnight}");

    let ours = sessions.write(&new_session(), now()).await.unwrap();
    assert_eq!(visit(&app, "/read", Some(&ours)).await.1, values());
    session.values.insert("more".to_owned(), json!(["\u{e9}"]));
    sessions.write(&session, now()).await.unwrap();
    assert_eq!(object(&visit(&app, "/read", Some(&cookie)).await.1), session.values);

    sessions.end(&session).await.unwrap();
    assert_eq!(visit(&app, "/read", Some(&cookie)).await.1, json!({}));
    assert_eq!(kind(sessions.open(&cookie, now()).await), Ended);
    assert_eq!(kind(sessions.open(&session.id()[1..], now()).await), Invalid);
}

#[tokio::test]
async fn row_02_tower_sessions_and_sessionkit_share_sessions() {
    let bytes: [u8; 64] = std::array::from_fn(|at| u8::try_from(at).unwrap());
    let (store, key) = (RedisStore(connection().await), Key::from(&bytes));
    let layer = || SessionManagerLayer::new(store.clone()).with_expiry(fortnight());
    let (sessions, ours) = (TowerSessions::new(records().await), CookieKey::new(&bytes).unwrap());
    shares_sessions(routes().layer(layer()), &sessions).await;
    shares_sessions(routes().layer(layer().with_signed(key.clone())), &sessions.clone().signed(ours.clone())).await;
    shares_sessions(routes().layer(layer().with_private(key)), &sessions.private(ours)).await;
}

fn fortnight() -> tower_sessions::Expiry {
    tower_sessions::Expiry::OnInactivity(tower_sessions::cookie::time::Duration::days(14))
}
