//! Sessions of Django in its database.

use serde_json::{Value, json};
use sessionkit::Timestamp;
use sessionkit::migration::ForeignErrorKind::{Ended, Invalid};
use sessionkit::migration::{DjangoRow, DjangoSessions, ForeignError, ForeignSession, ForeignSessions, ForeignTable};
use sqlx::SqlitePool;
use tempfile::TempDir;

use crate::{OTHER, SECRET, ask, ask_cookie, kind, now, object, secrets, values};

/// Django over a database of its own, with the user `ana`.
struct Peer {
    directory: TempDir,
    secrets: Vec<&'static str>,
}

impl Peer {
    fn new() -> Self {
        let peer = Self { directory: tempfile::tempdir().unwrap(), secrets: vec![SECRET] };
        peer.ask("create_user", json!({"name": "ana", "password": "one"}));
        peer
    }

    fn path(&self) -> String {
        self.directory.path().join("db.sqlite3").to_str().unwrap().to_owned()
    }

    fn request(&self, more: Value) -> Value {
        let mut request = object(&json!({"path": self.path(), "secrets": self.secrets}));
        request.extend(object(&more));
        Value::Object(request)
    }

    fn ask(&self, action: &str, more: Value) -> Value {
        ask("django-database", action, self.request(more))
    }

    fn login(&self) -> String {
        ask_cookie("django-database", "login", self.request(json!({"name": "ana", "values": values()})))
    }

    /// Returns the name of the user, and the values of the session.
    fn read(&self, cookie: &str) -> Value {
        self.ask("read", json!({"cookie": cookie}))
    }

    async fn sessions(&self) -> impl ForeignSessions + use<> {
        let pool = SqlitePool::connect(&format!("sqlite:{}", self.path())).await.unwrap();
        let users = pool.clone();
        let password_of = move |id: String| {
            let users = users.clone();
            async move {
                let found = sqlx::query_scalar("SELECT password FROM auth_user WHERE is_active AND id = ?").bind(id);
                found.fetch_optional(&users).await.map_err(ForeignError::unavailable)
            }
        };
        DjangoSessions::new(secrets([OTHER, SECRET]), Table(pool), password_of)
    }
}

struct Table(SqlitePool);

impl ForeignTable for Table {
    type Row = DjangoRow;

    async fn find(&self, session_key: &str) -> Result<Option<DjangoRow>, ForeignError> {
        let found = "SELECT session_data, unixepoch(expire_date) FROM django_session WHERE session_key = ?";
        let found = sqlx::query_as(found).bind(session_key).fetch_optional(&self.0).await;
        let found: Option<(String, i64)> = found.map_err(ForeignError::unavailable)?;
        Ok(found.map(|(data, end)| DjangoRow::new(data, Timestamp::from_unix_seconds(end.try_into().unwrap()))))
    }

    async fn remove(&self, session_key: &str) -> Result<(), ForeignError> {
        let removed = sqlx::query("DELETE FROM django_session WHERE session_key = ?").bind(session_key);
        removed.execute(&self.0).await.map(drop).map_err(ForeignError::unavailable)
    }

    fn saves(&self) -> bool {
        true
    }

    async fn save(&self, session_key: &str, row: DjangoRow) -> Result<(), ForeignError> {
        let saved = "INSERT OR REPLACE INTO django_session VALUES (?, ?, datetime(?, 'unixepoch'))";
        let saved = sqlx::query(saved).bind(session_key).bind(row.session_data);
        let saved = saved.bind(i64::try_from(row.expire_date.unix_seconds()).unwrap()).execute(&self.0).await;
        saved.map(drop).map_err(ForeignError::unavailable)
    }
}

#[tokio::test]
async fn row_18_django_and_sessionkit_share_sessions() {
    let peer = Peer::new();
    let sessions = peer.sessions().await;
    let cookie = peer.login();
    let mut session = sessions.open(&cookie, now()).await.unwrap();
    for (key, value) in object(&values()) {
        assert_eq!(session.values[&key], value);
    }
    assert_eq!(session.values["_auth_user_id"], "1");
    let fortnight = session.expires_at.unwrap().saturating_duration_since(now()).as_secs();
    assert!((14 * 86_400 - 60..=14 * 86_400).contains(&fortnight), "{fortnight}");
    assert_eq!(kind(sessions.open(&cookie, session.expires_at.unwrap()).await), Ended);

    let theirs = |secrets: [&'static str; 2], cookie: &str| {
        let request = json!({"path": peer.path(), "secrets": secrets, "cookie": cookie});
        ask("django-database", "read", request)
    };
    let ours = ForeignSession::new("", object(&json!({"_auth_user_id": "1", "cart": ["\u{e9}"]})));
    let ours = sessions.write(&ours, now()).await.unwrap();
    let read = theirs([OTHER, SECRET], &ours);
    assert_eq!((&read["user"], &read["values"]["cart"]), (&json!("ana"), &json!(["\u{e9}"])));
    session.values.insert("more".to_owned(), json!(1.5));
    assert_eq!(sessions.write(&session, now()).await.unwrap(), cookie);
    assert_eq!(theirs([OTHER, SECRET], &cookie)["values"]["more"], 1.5);

    sessions.end(&session).await.unwrap();
    assert_eq!(kind(sessions.open(&cookie, now()).await), Ended);
    assert_eq!(peer.read(&cookie)["user"], Value::Null);
}

#[tokio::test]
async fn row_18_a_session_that_django_ended_is_not_taken_over() {
    let peer = Peer::new();
    let sessions = peer.sessions().await;
    let cookie = peer.login();
    assert!(sessions.open(&cookie, now()).await.is_ok());
    peer.ask("logout", json!({"cookie": cookie}));
    assert_eq!(kind(sessions.open(&cookie, now()).await), Ended);

    // The row is still there, as it is for Django.
    let cookie = peer.login();
    peer.ask("change_password", json!({"name": "ana", "password": "two"}));
    assert_eq!(kind(sessions.open(&cookie, now()).await), Invalid);
    assert_eq!(peer.read(&cookie)["user"], Value::Null);

    let cookie = peer.login();
    assert!(sessions.open(&cookie, now()).await.is_ok());
    peer.ask("deactivate", json!({"name": "ana"}));
    assert_eq!(kind(sessions.open(&cookie, now()).await), Invalid);

    let nobody = ask_cookie("django-database", "write", peer.request(json!({"values": values()})));
    assert_eq!(Value::Object(sessions.open(&nobody, now()).await.unwrap().values), values());
}
