//! The sessions of Django in its database.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Map, Value};
use sessionkit_core::{ForeignCookie, ForeignError, ForeignSession, ForeignSessions, Timestamp};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::ForeignTable;
use super::record::random;
use crate::formats::{DjangoSessionData, Secrets};

/// Opens and writes the sessions of Django's backend `django.contrib.sessions.backends.db`, and checks that the password of the
/// user is still the one with which the session began.
///
/// The cookie is the key of a row, 32 characters that nobody can guess. The value of the row is signed with `SECRET_KEY`, and
/// read if one of the secrets did: give it first, and then `SECRET_KEY_FALLBACKS`. A session that Django serialised with
/// `PickleSerializer` cannot be read, and is not executed.
///
/// A user who is logged in is `_auth_user_id`, a text. `_auth_user_hash` beside it depends on the password hash of the user,
/// for which the reader asks the application: so a session that the user ended by a change of the password is not taken over.
///
/// With the backend `cached_db`, Django has a copy of each row in its cache: remove that too when a session ends here, under
/// the key `django.contrib.sessions.cached_db` and the key of the row, or Django goes on with it.
///
/// ```
/// use sessionkit::Timestamp;
/// use sessionkit::formats::Secrets;
/// use sessionkit::migration::{DjangoRow, DjangoSessions, ForeignError, ForeignTable};
/// use sqlx::SqlitePool;
///
/// struct Sessions(SqlitePool);
///
/// impl ForeignTable for Sessions {
///     type Row = DjangoRow;
///
///     async fn find(&self, session_key: &str) -> Result<Option<DjangoRow>, ForeignError> {
///         let found = "SELECT session_data, unixepoch(expire_date) FROM django_session WHERE session_key = ?";
///         let found = sqlx::query_as(found).bind(session_key).fetch_optional(&self.0).await;
///         let found: Option<(String, i64)> = found.map_err(ForeignError::unavailable)?;
///         Ok(found.map(|(session_data, expire_date)| {
///             DjangoRow::new(session_data, Timestamp::from_unix_seconds(expire_date.try_into().unwrap_or(0)))
///         }))
///     }
///
///     async fn remove(&self, session_key: &str) -> Result<(), ForeignError> {
///         let removed = sqlx::query("DELETE FROM django_session WHERE session_key = ?").bind(session_key);
///         removed.execute(&self.0).await.map(drop).map_err(ForeignError::unavailable)
///     }
/// }
///
/// # fn of(pool: SqlitePool, secret_key: &str) -> Result<(), sessionkit::KeyError> {
/// let users = pool.clone();
/// let password_of = move |id: String| {
///     let users = users.clone();
///     async move {
///         let found = sqlx::query_scalar("SELECT password FROM auth_user WHERE is_active AND id = ?").bind(id);
///         found.fetch_optional(&users).await.map_err(ForeignError::unavailable)
///     }
/// };
/// let secrets = Secrets::of_running_application([secret_key])?;
/// let sessions = DjangoSessions::new(secrets, Sessions(pool), password_of);
/// # let _ = sessions;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct DjangoSessions<T, P> {
    table: T,
    password_of: P,
    data: DjangoSessionData,
    auth_hash: AuthHash,
    cookie: ForeignCookie,
    ttl: Duration,
}

/// A row of Django's table `django_session`, beside its key.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct DjangoRow {
    /// The column `session_data`.
    pub session_data: String,
    /// The column `expire_date`.
    pub expire_date: Timestamp,
}

impl DjangoRow {
    /// Makes a row.
    pub fn new(session_data: impl Into<String>, expire_date: Timestamp) -> Self {
        Self { session_data: session_data.into(), expire_date }
    }
}

/// Shows the end alone.
impl fmt::Debug for DjangoRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DjangoRow").field("expire_date", &self.expire_date).finish_non_exhaustive()
    }
}

impl<T, P, F> DjangoSessions<T, P>
where
    T: ForeignTable<Row = DjangoRow>,
    P: Fn(String) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Option<String>, ForeignError>> + Send,
{
    /// Takes the secrets, the table, and a function that returns the password hash of a user: the column `password`, by the id
    /// as a text. It returns `None` for a user who is gone or not active, whose sessions are refused. The cookie is called
    /// `sessionid`.
    pub fn new(secrets: Secrets, table: T, password_of: P) -> Self {
        Self {
            table,
            password_of,
            auth_hash: AuthHash::new(&secrets),
            data: DjangoSessionData::new(secrets),
            cookie: ForeignCookie::new("sessionid"),
            ttl: Duration::from_secs(14 * 86_400),
        }
    }

    /// Sets the cookie: `SESSION_COOKIE_NAME`, and those beside it.
    #[must_use]
    pub fn cookie(self, cookie: ForeignCookie) -> Self {
        Self { cookie, ..self }
    }

    /// Sets how long a session is good that is written and says of no end, as `SESSION_COOKIE_AGE` does: 14 days otherwise.
    #[must_use]
    pub fn ttl(self, ttl: Duration) -> Self {
        Self { ttl, ..self }
    }

    /// Checks that the user of the session is there, with the same password. A session without a user is nobody's.
    async fn check_user(&self, values: &Map<String, Value>) -> Result<(), ForeignError> {
        let Some(user_id) = values.get(USER_ID) else { return Ok(()) };
        let user_id = user_id.as_str().ok_or_else(|| ForeignError::unreadable("`_auth_user_id` is no text"))?;
        let hash = values.get(USER_HASH).and_then(Value::as_str).ok_or_else(ForeignError::invalid)?;
        let password = (self.password_of)(user_id.to_owned()).await?.ok_or_else(ForeignError::invalid)?;
        if self.auth_hash.verifies(hash, &password) { Ok(()) } else { Err(ForeignError::invalid()) }
    }
}

impl<T, P, F> ForeignSessions for DjangoSessions<T, P>
where
    T: ForeignTable<Row = DjangoRow>,
    P: Fn(String) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Option<String>, ForeignError>> + Send,
{
    fn system(&self) -> &'static str {
        "django"
    }

    fn cookie(&self) -> &ForeignCookie {
        &self.cookie
    }

    async fn open(&self, cookie: &str, now: Timestamp) -> Result<ForeignSession, ForeignError> {
        if !is_key(cookie) {
            return Err(ForeignError::invalid());
        }
        let row = self.table.find(cookie).await?.filter(|row| now < row.expire_date).ok_or_else(ForeignError::ended)?;
        let values = self.data.read(&row.session_data);
        let values = values.map_err(|_| ForeignError::unreadable("`session_data` is of no secret, or no JSON"))?;
        self.check_user(&values).await?;
        let mut session = ForeignSession::new(cookie, values);
        session.expires_at = Some(row.expire_date);
        Ok(session)
    }

    async fn end(&self, session: &ForeignSession) -> Result<(), ForeignError> {
        self.table.remove(session.id()).await
    }

    fn writes(&self) -> bool {
        self.table.saves()
    }

    /// Writes a session. That of a user who is logged in gets the `_auth_user_hash` of the password that the user has now.
    async fn write(&self, session: &ForeignSession, now: Timestamp) -> Result<String, ForeignError> {
        let mut values = session.values.clone();
        if let Some(user_id) = values.get(USER_ID) {
            let user_id = user_id.as_str().ok_or_else(|| ForeignError::unwritable("`_auth_user_id` is no text"))?;
            let password = (self.password_of)(user_id.to_owned()).await?;
            let password = password.ok_or_else(|| ForeignError::unwritable("`_auth_user_id` is no user's"))?;
            values.insert(USER_HASH.to_owned(), self.auth_hash.of(&password).into());
            values.entry(BACKEND).or_insert_with(|| "django.contrib.auth.backends.ModelBackend".into());
        }
        let session_data = self.data.write(&values, now)?;
        let key = if session.id().is_empty() { random_key() } else { session.id().to_owned() };
        let expire_date = session.expires_at.unwrap_or_else(|| now.saturating_add(self.ttl));
        self.table.save(&key, DjangoRow { session_data, expire_date }).await?;
        Ok(key)
    }
}

/// Shows everything but the table, the function and the secrets.
impl<T, P> fmt::Debug for DjangoSessions<T, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table: _, password_of: _, data, auth_hash: _, cookie, ttl } = self;
        f.debug_struct("DjangoSessions")
            .field("data", data)
            .field("cookie", cookie)
            .field("ttl", ttl)
            .finish_non_exhaustive()
    }
}

const USER_ID: &str = "_auth_user_id";
const USER_HASH: &str = "_auth_user_hash";
const BACKEND: &str = "_auth_user_backend";

/// The value that Django's `get_session_auth_hash` makes of the password hash of a user.
#[derive(Clone)]
struct AuthHash(Arc<[Hmac<Sha256>]>);

impl AuthHash {
    fn new(secrets: &Secrets) -> Self {
        let salt = "django.contrib.auth.models.AbstractBaseUser.get_session_auth_hash";
        let mac = |secret: &str| {
            let key =
                Zeroizing::new(<[u8; 32]>::from(Sha256::new().chain_update(salt).chain_update(secret).finalize()));
            Hmac::new_from_slice(&*key).expect("a key of an HMAC may have any length")
        };
        Self(secrets.iter().map(mac).collect())
    }

    fn of(&self, password: &str) -> String {
        use fmt::Write as _;
        let mut digits = String::with_capacity(64);
        // There is a first secret: a list without one is refused.
        for byte in self.0[0].clone().chain_update(password).finalize().into_bytes() {
            write!(digits, "{byte:02x}").expect("a string takes everything");
        }
        digits
    }

    /// Compares in constant time.
    fn verifies(&self, hash: &str, password: &str) -> bool {
        let Some(hash) = read_hex(hash) else { return false };
        self.0.iter().any(|mac| mac.clone().chain_update(password).verify_slice(&hash).is_ok())
    }
}

/// Reads 32 bytes as small hexadecimal digits.
fn read_hex(text: &str) -> Option<[u8; 32]> {
    let digit = |byte: &u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = digit(&digits[0])? << 4 | digit(&digits[1])?;
    }
    Some(bytes)
}

const KEY_CHARACTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// Returns whether a text is a key as Django makes them.
fn is_key(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| KEY_CHARACTERS.contains(&byte))
}

fn random_key() -> String {
    let mut key = String::with_capacity(32);
    while key.len() < 32 {
        // Bytes from 252 on would make some characters more frequent than others.
        let bytes = random::<64>();
        let fair = bytes.iter().filter(|byte| **byte < 252).take(32 - key.len());
        key.extend(fair.map(|byte| char::from(KEY_CHARACTERS[usize::from(byte % 36)])));
    }
    key
}

#[cfg(test)]
mod tests;
