//! Sessions in a table of a database, under the token that is their cookie.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use sessionkit_core::{ForeignCookie, ForeignError, ForeignSession, ForeignSessions, Timestamp};

use super::ForeignTable;
use super::record::{DAY, random};

/// Opens and writes sessions that lie in a table: a token, the user, and the time at which the session ends. The cookie is the
/// token, 43 characters as Python's `secrets.token_urlsafe(32)` makes them.
///
/// Nothing signs the cookie: what proves that it is genuine is that nobody can guess a token that the table knows. So nothing
/// but 32 bytes in base64url is looked for. The one value of a session is `user_id`.
///
/// ```
/// use sessionkit::Timestamp;
/// use sessionkit::migration::{ForeignError, ForeignSessions as _, ForeignTable, TokenRow, TokenTable};
/// use sqlx::SqlitePool;
///
/// struct Sessions(SqlitePool);
///
/// impl ForeignTable for Sessions {
///     type Row = TokenRow;
///
///     async fn find(&self, token: &str) -> Result<Option<TokenRow>, ForeignError> {
///         let found = sqlx::query_as("SELECT user_id, unixepoch(expires_at) FROM sessions WHERE token = ?");
///         let found: Option<(i64, i64)> =
///             found.bind(token).fetch_optional(&self.0).await.map_err(ForeignError::unavailable)?;
///         Ok(found.map(|(user_id, expires_at)| {
///             TokenRow::new(user_id, Timestamp::from_unix_seconds(expires_at.try_into().unwrap_or(0)))
///         }))
///     }
///
///     async fn remove(&self, token: &str) -> Result<(), ForeignError> {
///         let removed = sqlx::query("DELETE FROM sessions WHERE token = ?").bind(token).execute(&self.0).await;
///         removed.map(drop).map_err(ForeignError::unavailable)
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let pool = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await?;
/// # sqlx::query("CREATE TABLE sessions (token TEXT PRIMARY KEY, user_id INTEGER, expires_at TEXT)").execute(&pool).await?;
/// # let row = "INSERT INTO sessions VALUES ('pZ0nB1kqf8VxYJ6sT3mWcQ2rLd9uHgAe5oXiKwNvC7E', 7, '2023-11-14 23:00:00')";
/// # sqlx::query(row).execute(&pool).await?;
/// # let now = Timestamp::from_unix_seconds(1_700_000_000);
/// let sessions = TokenTable::new(Sessions(pool));
/// let session = sessions.open("pZ0nB1kqf8VxYJ6sT3mWcQ2rLd9uHgAe5oXiKwNvC7E", now).await?;
/// assert_eq!(session.get::<i64>("user_id")?, 7);
/// # sessions.end(&session).await?;
/// # assert!(sessions.open("pZ0nB1kqf8VxYJ6sT3mWcQ2rLd9uHgAe5oXiKwNvC7E", now).await.is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct TokenTable<T> {
    table: T,
    cookie: ForeignCookie,
    ttl: Duration,
}

/// A row of a [`TokenTable`].
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct TokenRow {
    /// The id of the user, a number or a text.
    pub user_id: Value,
    /// The time at which the session ends.
    pub expires_at: Timestamp,
}

impl TokenRow {
    /// Makes a row.
    pub fn new(user_id: impl Into<Value>, expires_at: Timestamp) -> Self {
        Self { user_id: user_id.into(), expires_at }
    }
}

/// Shows the end alone.
impl fmt::Debug for TokenRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenRow").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

impl<T: ForeignTable<Row = TokenRow>> TokenTable<T> {
    /// Takes the table. The cookie is called `session_token`.
    pub fn new(table: T) -> Self {
        Self { table, cookie: ForeignCookie::new("session_token"), ttl: DAY }
    }

    /// Sets the cookie.
    #[must_use]
    pub fn cookie(self, cookie: ForeignCookie) -> Self {
        Self { cookie, ..self }
    }

    /// Sets how long a session is good that is written and says of no end: a day otherwise.
    #[must_use]
    pub fn ttl(self, ttl: Duration) -> Self {
        Self { ttl, ..self }
    }
}

impl<T: ForeignTable<Row = TokenRow>> ForeignSessions for TokenTable<T> {
    fn system(&self) -> &'static str {
        "token-table"
    }

    fn cookie(&self) -> &ForeignCookie {
        &self.cookie
    }

    async fn open(&self, cookie: &str, now: Timestamp) -> Result<ForeignSession, ForeignError> {
        if !is_token(cookie) {
            return Err(ForeignError::invalid());
        }
        let row = self.table.find(cookie).await?.filter(|row| now < row.expires_at).ok_or_else(ForeignError::ended)?;
        if !is_user_id(&row.user_id) {
            return Err(ForeignError::unreadable("`user_id` is neither a number nor a text"));
        }
        let values = Map::from_iter([(USER_ID.to_owned(), row.user_id)]);
        let mut session = ForeignSession::new(cookie, values);
        session.expires_at = Some(row.expires_at);
        Ok(session)
    }

    async fn end(&self, session: &ForeignSession) -> Result<(), ForeignError> {
        self.table.remove(session.id()).await
    }

    fn writes(&self) -> bool {
        self.table.saves()
    }

    async fn write(&self, session: &ForeignSession, now: Timestamp) -> Result<String, ForeignError> {
        let user_id = session.values.get(USER_ID).filter(|id| is_user_id(id)).cloned();
        let user_id = user_id.ok_or_else(|| ForeignError::unwritable("`user_id` is neither a number nor a text"))?;
        if let Some(key) = session.values.keys().find(|key| *key != USER_ID) {
            return Err(ForeignError::unwritable(format!("the table has no column for the value of `{key}`")));
        }
        let token = session.id();
        let token = if token.is_empty() { URL_SAFE_NO_PAD.encode(random::<32>()) } else { token.to_owned() };
        let expires_at = session.expires_at.unwrap_or_else(|| now.saturating_add(self.ttl));
        self.table.save(&token, TokenRow { user_id, expires_at }).await?;
        Ok(token)
    }
}

/// Shows everything but the table.
impl<T> fmt::Debug for TokenTable<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table: _, cookie, ttl } = self;
        f.debug_struct("TokenTable").field("cookie", cookie).field("ttl", ttl).finish_non_exhaustive()
    }
}

const USER_ID: &str = "user_id";

/// Returns whether a text is 32 bytes in base64url, in their one spelling.
fn is_token(text: &str) -> bool {
    text.len() == 43 && URL_SAFE_NO_PAD.decode(text).is_ok()
}

fn is_user_id(value: &Value) -> bool {
    value.is_number() || value.is_string()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use serde_json::json;
    use sessionkit_core::ForeignErrorKind::{Ended, Invalid, Unavailable, Unreadable, Unsupported};

    use super::super::testing::{MapTable, NOW, kind, later, object};
    use super::*;

    const TOKEN: &str = "pZ0nB1kqf8VxYJ6sT3mWcQ2rLd9uHgAe5oXiKwNvC7E";

    fn with(row: TokenRow) -> TokenTable<MapTable<TokenRow>> {
        TokenTable::new(MapTable::of([(TOKEN.to_owned(), row)]))
    }

    #[tokio::test]
    async fn row_18_a_session_is_a_row() {
        for user_id in [json!(7), json!("3f2b8c1e")] {
            let sessions = with(TokenRow::new(user_id.clone(), later(60)));
            let session = sessions.open(TOKEN, later(59)).await.unwrap();
            assert_eq!(session.values, object(json!({"user_id": user_id})));
            assert_eq!((session.id(), session.expires_at), (TOKEN, Some(later(60))));
            assert_eq!(kind(sessions.open(TOKEN, later(60)).await), Ended);
            sessions.end(&session).await.unwrap();
            assert_eq!(kind(sessions.open(TOKEN, NOW).await), Ended);
            sessions.end(&session).await.expect("it has ended before");
        }
        for user_id in [json!(null), json!([7]), json!({"id": 7}), json!(true)] {
            assert_eq!(kind(with(TokenRow::new(user_id, later(60))).open(TOKEN, NOW).await), Unreadable);
        }
    }

    #[tokio::test]
    async fn nothing_but_a_token_is_looked_for() {
        let sessions = with(TokenRow::new(7, later(60)));
        assert_eq!(kind(sessions.open(&TOKEN.replace('p', "q"), NOW).await), Ended);
        let long = "a".repeat(1_000_000);
        // The last one has bits that mean nothing.
        let other = ["", &TOKEN[1..], &format!("{TOKEN}="), &format!("{TOKEN}A"), &TOKEN.replace('p', "+")];
        for cookie in other.into_iter().chain([&*TOKEN.replace('p', "'"), &TOKEN.replace("7E", "7F"), &long]) {
            assert_eq!(kind(sessions.open(cookie, NOW).await), Invalid, "{}", &cookie[..cookie.len().min(50)]);
        }
        assert_eq!(sessions.table.asked.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn what_is_written_is_read() {
        let sessions = TokenTable::new(MapTable::of([])).ttl(Duration::from_secs(60));
        let mut session = ForeignSession::new("", object(json!({"user_id": 7})));
        let token = sessions.write(&session, NOW).await.unwrap();
        assert!(is_token(&token), "{token}");
        let read = sessions.open(&token, NOW).await.unwrap();
        assert_eq!((&read.values, read.expires_at), (&session.values, Some(later(60))));
        assert_eq!(sessions.write(&read, later(30)).await.unwrap(), token, "the token stays");
        assert_ne!(sessions.write(&session, NOW).await.unwrap(), token);
        session.values.insert("cart".to_owned(), json!("a secret"));
        let error = sessions.write(&session, NOW).await.unwrap_err().to_string();
        assert!(error.contains("`cart`") && !error.contains("a secret"), "{error}");
        assert_eq!(kind(sessions.write(&ForeignSession::default(), NOW).await), Unsupported);
    }

    #[tokio::test]
    async fn a_table_may_be_read_alone() {
        struct Empty;
        impl ForeignTable for Empty {
            type Row = TokenRow;
            async fn find(&self, _: &str) -> Result<Option<TokenRow>, ForeignError> {
                Ok(None)
            }
            async fn remove(&self, _: &str) -> Result<(), ForeignError> {
                Ok(())
            }
        }
        let sessions = TokenTable::new(Empty);
        assert!(!sessions.writes());
        let session = ForeignSession::new("", object(json!({"user_id": 7})));
        assert_eq!(kind(sessions.write(&session, NOW).await), Unsupported);
    }

    #[tokio::test]
    async fn a_database_that_fails_is_no_session_that_has_ended() {
        let sessions = TokenTable::new(MapTable { fails: true, ..MapTable::of([]) });
        assert_eq!(kind(sessions.open(TOKEN, NOW).await), Unavailable);
    }

    #[test]
    fn the_user_is_not_shown() {
        let row = TokenRow::new("ana@example.org", NOW);
        assert!(!format!("{row:?}").contains("ana"), "{row:?}");
    }
}
