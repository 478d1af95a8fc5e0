//! Sessions in a table, under the token that is their cookie.

use serde_json::json;
use sessionkit::Timestamp;
use sessionkit::migration::ForeignErrorKind::Ended;
use sessionkit::migration::{ForeignError, ForeignSession, ForeignSessions as _, ForeignTable, TokenRow, TokenTable};
use sqlx::SqlitePool;

use crate::{ask, ask_cookie, kind, now, object};

struct Table(SqlitePool);

impl ForeignTable for Table {
    type Row = TokenRow;

    async fn find(&self, token: &str) -> Result<Option<TokenRow>, ForeignError> {
        let found = sqlx::query_as("SELECT user_id, expires_at FROM sessions WHERE token = ?").bind(token);
        let found: Option<(i64, i64)> = found.fetch_optional(&self.0).await.map_err(ForeignError::unavailable)?;
        Ok(found.map(|(user_id, end)| TokenRow::new(user_id, Timestamp::from_unix_seconds(end.try_into().unwrap()))))
    }

    async fn remove(&self, token: &str) -> Result<(), ForeignError> {
        let removed = sqlx::query("DELETE FROM sessions WHERE token = ?").bind(token).execute(&self.0).await;
        removed.map(drop).map_err(ForeignError::unavailable)
    }

    fn saves(&self) -> bool {
        true
    }

    async fn save(&self, token: &str, row: TokenRow) -> Result<(), ForeignError> {
        let saved =
            sqlx::query("INSERT OR REPLACE INTO sessions VALUES (?, ?, ?)").bind(token).bind(row.user_id.as_i64());
        let saved = saved.bind(i64::try_from(row.expires_at.unix_seconds()).unwrap()).execute(&self.0).await;
        saved.map(drop).map_err(ForeignError::unavailable)
    }
}

#[tokio::test]
async fn row_18_sessions_in_a_table_of_tokens() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db.sqlite3").to_str().unwrap().to_owned();
    let cookie = ask_cookie("token-table", "write", json!({"path": path, "user_id": 7, "ttl": 60}));
    let sessions = TokenTable::new(Table(SqlitePool::connect(&format!("sqlite:{path}")).await.unwrap()));
    let session = sessions.open(&cookie, now()).await.unwrap();
    assert_eq!(session.get::<u64>("user_id").unwrap(), 7);
    assert_eq!(kind(sessions.open(&cookie, session.expires_at.unwrap()).await), Ended);

    let read = |cookie: &str| ask("token-table", "read", json!({"path": path, "cookie": cookie}));
    let ours = sessions.write(&ForeignSession::new("", object(&json!({"user_id": 8}))), now()).await.unwrap();
    assert_eq!((read(&ours), read(&cookie)), (json!(8), json!(7)));
    sessions.end(&session).await.unwrap();
    assert_eq!((read(&cookie), kind(sessions.open(&cookie, now()).await)), (json!(null), Ended));
}
