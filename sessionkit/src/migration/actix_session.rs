//! The sessions of actix-session in Redis.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde_json::{Map, Value};
use sessionkit_core::{ForeignCookie, ForeignError, ForeignSession, ForeignSessions, Timestamp};

use super::cookie_key::Protection;
use super::record::{DAY, load, random, read_json, ttl, write_json};
use super::{CookieKey, ForeignRecords};
use crate::formats::json;

/// Opens and writes the sessions of [actix-session](https://docs.rs/actix-session) in its `RedisSessionStore`.
///
/// The cookie is the id, encrypted by default, or signed. The record is an object in JSON, each of whose values is a text that
/// is JSON itself; the values of the session are those inside.
///
/// ```
/// use sessionkit::migration::{ActixSession, CookieKey, ForeignRecords};
///
/// # fn of(records: impl ForeignRecords, bytes: &[u8]) -> Result<(), sessionkit::KeyError> {
/// // `RedisRecords::new(connection)`, over the Redis of the `RedisSessionStore`.
/// let sessions = ActixSession::private(CookieKey::new(bytes)?, records);
/// # let _ = sessions;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ActixSession<R> {
    records: R,
    protection: Protection,
    prefix: Cow<'static, str>,
    cookie: ForeignCookie,
    ttl: Duration,
}

impl<R: ForeignRecords> ActixSession<R> {
    /// Takes the key and the records of an application whose cookies are encrypted, as they are by default. The cookie is
    /// called `id`.
    pub fn private(key: CookieKey, records: R) -> Self {
        Self::of(Protection::Private(key), records)
    }

    /// Takes the key and the records of an application whose cookies are signed: `CookieContentSecurity::Signed`. The cookie is
    /// called `id`.
    pub fn signed(key: CookieKey, records: R) -> Self {
        Self::of(Protection::Signed(key), records)
    }

    fn of(protection: Protection, records: R) -> Self {
        Self { records, protection, prefix: "".into(), cookie: ForeignCookie::new("id"), ttl: DAY }
    }

    /// Sets what the keys begin with, if the `cache_keygen` of the store puts something before the id.
    #[must_use]
    pub fn prefix(self, prefix: impl Into<Cow<'static, str>>) -> Self {
        Self { prefix: prefix.into(), ..self }
    }

    /// Sets the cookie. Its name is a part of what is encrypted.
    #[must_use]
    pub fn cookie(self, cookie: ForeignCookie) -> Self {
        Self { cookie, ..self }
    }

    /// Sets how long a session is kept that is written and says of no end, as `state_ttl` and `session_ttl` do: a day otherwise.
    #[must_use]
    pub fn ttl(self, ttl: Duration) -> Self {
        Self { ttl, ..self }
    }

    fn key(&self, id: &str) -> String {
        format!("{}{id}", self.prefix)
    }
}

impl<R: ForeignRecords> ForeignSessions for ActixSession<R> {
    fn system(&self) -> &'static str {
        "actix-session"
    }

    fn cookie(&self) -> &ForeignCookie {
        &self.cookie
    }

    async fn open(&self, cookie: &str, _: Timestamp) -> Result<ForeignSession, ForeignError> {
        let id = self.protection.open(self.cookie.name(), cookie).filter(|id| is_id(id));
        let id = id.ok_or_else(ForeignError::invalid)?;
        let record = read_json(&load(&self.records, &self.key(&id)).await?)?;
        let values =
            record.into_iter().map(|(key, text)| match text.as_str().map(|text| json::read_value(text.as_bytes())) {
                Some(Ok(value)) => Ok((key, value)),
                _ => Err(ForeignError::unreadable(format!("the value of `{key}` is no text that is JSON"))),
            });
        let values: Map<String, Value> = values.collect::<Result<_, _>>()?;
        Ok(ForeignSession::new(id, values))
    }

    async fn end(&self, session: &ForeignSession) -> Result<(), ForeignError> {
        self.records.remove(&self.key(session.id())).await
    }

    fn writes(&self) -> bool {
        true
    }

    async fn write(&self, session: &ForeignSession, now: Timestamp) -> Result<String, ForeignError> {
        json::check_depth(&session.values)?;
        let id = if session.id().is_empty() { random_id() } else { session.id().to_owned() };
        let texts = session.values.iter().map(|(key, value)| (key.clone(), value.to_string().into())).collect();
        self.records.set(&self.key(&id), write_json(&texts)?, ttl(session, self.ttl, now)).await?;
        Ok(self.protection.seal(self.cookie.name(), &id))
    }
}

/// Shows everything but the store and the key.
impl<R> fmt::Debug for ActixSession<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { records: _, protection, prefix, cookie, ttl } = self;
        f.debug_struct("ActixSession")
            .field("protection", protection)
            .field("prefix", prefix)
            .field("cookie", cookie)
            .field("ttl", ttl)
            .finish_non_exhaustive()
    }
}

const ID_LENGTH: usize = 64;

/// Returns whether a text is an id as `generate_session_key` makes them.
fn is_id(text: &str) -> bool {
    text.len() == ID_LENGTH && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn random_id() -> String {
    let mut id = String::with_capacity(ID_LENGTH);
    while id.len() < ID_LENGTH {
        let bytes = random::<128>();
        let alphanumeric = bytes.iter().map(|byte| byte & 0x7f).filter(u8::is_ascii_alphanumeric);
        id.extend(alphanumeric.take(ID_LENGTH - id.len()).map(char::from));
    }
    id
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sessionkit_core::ForeignErrorKind::{Ended, Invalid, Unavailable, Unreadable};

    use super::super::testing::{Fault, MapRecords, NOW, kind, later, object};
    use super::*;

    fn key() -> CookieKey {
        CookieKey::new(&std::array::from_fn::<u8, 64, _>(|at| u8::try_from(at).unwrap())).unwrap()
    }

    fn id() -> String {
        "aB3".repeat(21) + "z"
    }

    fn with(record: &[u8]) -> ActixSession<MapRecords> {
        ActixSession::private(key(), MapRecords::of([(id(), record.to_vec())]))
    }

    #[tokio::test]
    async fn row_02_a_session_is_opened_and_ended() {
        let record = br#"{"user_id":"7","name":"\"ana\"","cart":"[{\"n\":1},null]"}"#;
        let values = object(json!({"user_id": 7, "name": "ana", "cart": [{"n": 1}, null]}));
        for seal in [ActixSession::private, ActixSession::signed] {
            let sessions = seal(key(), MapRecords::of([(format!("s:{}", id()), record.to_vec())])).prefix("s:");
            let cookie = sessions.protection.seal("id", &id());
            let session = sessions.open(&cookie, NOW).await.unwrap();
            assert_eq!((session.id(), &session.values), (&*id(), &values));
            sessions.end(&session).await.unwrap();
            assert_eq!(kind(sessions.open(&cookie, NOW).await), Ended);
            sessions.end(&session).await.expect("it has ended before");
        }
    }

    #[tokio::test]
    async fn what_is_written_is_read() {
        for seal in [ActixSession::private, ActixSession::signed] {
            let sessions = seal(key(), MapRecords::default());
            let session = ForeignSession::new("", object(json!({"user_id": 7, "\u{e9}": [1.5, null, "\""]})));
            let cookie = sessions.write(&session, NOW).await.unwrap();
            let mut read = sessions.open(&cookie, NOW).await.unwrap();
            assert_eq!(read.values, session.values);
            assert_eq!(sessions.records.ttl(read.id()), Some(DAY));
            read.expires_at = Some(later(60));
            let again = sessions.write(&read, NOW).await.unwrap();
            assert_eq!(sessions.open(&again, NOW).await.unwrap().id(), read.id(), "the id stays");
            assert_eq!(sessions.records.ttl(read.id()), Some(Duration::from_secs(60)));
        }
        assert!(is_id(&random_id()) && random_id() != random_id());
    }

    #[tokio::test]
    async fn only_ids_that_the_key_protects_are_looked_for() {
        let sessions = ActixSession::private(key(), MapRecords::any(b"{}"));
        let sealed = |name: &str, value: &str| sessions.protection.seal(name, value);
        assert!(sessions.open(&sealed("id", &id()), NOW).await.is_ok());
        let asked = sessions.records.asked();
        let signed = ActixSession::signed(key(), MapRecords::default()).protection.seal("id", &id());
        for cookie in [
            &id(),
            &signed,
            &sealed("other", &id()),
            &sealed("id", &id()[1..]),
            &sealed("id", ""),
            &sealed("id", &"-".repeat(64)),
        ] {
            assert_eq!(kind(sessions.open(cookie, NOW).await), Invalid, "{cookie}");
        }
        assert_eq!(sessions.records.asked(), asked);
        let renamed = sessions.clone().cookie(ForeignCookie::new("other"));
        assert!(renamed.open(&sealed("other", &id()), NOW).await.is_ok());
    }

    #[tokio::test]
    async fn what_is_no_record_is_refused() {
        let large = [&b"{\"a\":\""[..], &[b'x'; 1_000_000], b"\"}"].concat();
        let deep = format!("{{\"a\":\"{}\"}}", "[".repeat(100_000));
        for record in [
            &b""[..],
            b"[]",
            b"{",
            b"{\"a\":1}",
            b"{\"a\":{}}",
            b"{\"a\":\"\"}",
            b"{\"a\":\"secret\"}",
            b"{\"a\":\"NaN\"}",
            b"{\"a\":\"\xff\"}",
            deep.as_bytes(),
            &large,
        ] {
            let sessions = with(record);
            let error = sessions.open(&sessions.protection.seal("id", &id()), NOW).await.unwrap_err();
            assert!(error.kind() == Unreadable && !error.to_string().contains("secret"), "{error}");
        }
        let failing = ActixSession::private(key(), MapRecords::failing(Fault));
        assert_eq!(kind(failing.open(&failing.protection.seal("id", &id()), NOW).await), Unavailable);
    }
}
