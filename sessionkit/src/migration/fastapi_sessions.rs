//! The sessions of fastapi-sessions.

use std::fmt;
use std::time::Duration;

use sessionkit_core::{ForeignCookie, ForeignError, ForeignSession, ForeignSessions, Timestamp};

use super::ForeignRecords;
use super::record::{load, random, read_json, ttl, write_json};
use crate::formats::{FastapiSessionsId, Secrets};

/// Opens and writes the sessions of [fastapi-sessions](https://jordanisaacs.github.io/fastapi-sessions) with its
/// `SessionCookie`, whose cookie is the signed id. Not to be confused with fastapi_session, which is
/// [`FastapiSession`](super::FastapiSession) here.
///
/// The package has one backend, in the memory of its process, which nobody else reads. With a backend of the application's own,
/// the application says under which key the session of an id lies, as JSON: what `model_dump_json()` makes of the model.
///
/// ```
/// use sessionkit::formats::Secrets;
/// use sessionkit::migration::{FastapiSessions, ForeignCookie, ForeignRecords};
///
/// # fn of(records: impl ForeignRecords, secret: &str) -> Result<(), sessionkit::KeyError> {
/// let secrets = Secrets::of_running_application([secret])?;
/// let sessions = FastapiSessions::new(secrets, ForeignCookie::new("cookie"), records, |id| format!("session:{id}"));
/// # let _ = sessions;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct FastapiSessions<R, K> {
    records: R,
    key_of: K,
    ids: FastapiSessionsId,
    cookie: ForeignCookie,
    ttl: Duration,
}

impl<R, K> FastapiSessions<R, K>
where
    R: ForeignRecords,
    K: Fn(&str) -> String + Send + Sync + 'static,
{
    /// Takes the secrets, the cookie, to whose name the signatures are bound, the records, and the function that makes a key of
    /// an id, which comes as `str(session_id)` writes it: with hyphens. A cookie is good for 14 days.
    pub fn new(secrets: Secrets, cookie: ForeignCookie, records: R, key_of: K) -> Self {
        let ids = FastapiSessionsId::new(secrets, cookie.name());
        Self { records, key_of, ids, cookie, ttl: Duration::from_secs(14 * 86_400) }
    }

    /// Sets how long after it was written a cookie is good: `max_age` of `CookieParameters`. A session that is written and says
    /// of no end is kept for as long.
    #[must_use]
    pub fn max_age(self, max_age: Duration) -> Self {
        Self { ids: self.ids.max_age(max_age), ttl: max_age, ..self }
    }

    /// Returns the key of an id, which has 32 digits.
    fn key(&self, id: &str) -> Result<String, ForeignError> {
        let parts = [id.get(..8), id.get(8..12), id.get(12..16), id.get(16..20), id.get(20..)];
        let parts: Option<Vec<&str>> = parts.into_iter().collect();
        Ok((self.key_of)(&parts.ok_or_else(ForeignError::invalid)?.join("-")))
    }
}

impl<R, K> ForeignSessions for FastapiSessions<R, K>
where
    R: ForeignRecords,
    K: Fn(&str) -> String + Send + Sync + 'static,
{
    fn system(&self) -> &'static str {
        "fastapi-sessions"
    }

    fn cookie(&self) -> &ForeignCookie {
        &self.cookie
    }

    async fn open(&self, cookie: &str, now: Timestamp) -> Result<ForeignSession, ForeignError> {
        let id = self.ids.read_id(cookie, now)?;
        let record = load(&self.records, &self.key(&id)?).await?;
        Ok(ForeignSession::new(id, read_json(&record)?))
    }

    async fn end(&self, session: &ForeignSession) -> Result<(), ForeignError> {
        self.records.remove(&self.key(session.id())?).await
    }

    fn writes(&self) -> bool {
        true
    }

    async fn write(&self, session: &ForeignSession, now: Timestamp) -> Result<String, ForeignError> {
        let id = if session.id().is_empty() { random_id() } else { session.id().to_owned() };
        let cookie = self.ids.write_id(&id, now)?;
        let record = write_json(&session.values)?;
        self.records.set(&self.key(&id)?, record, ttl(session, self.ttl, now)).await?;
        Ok(cookie)
    }
}

/// Returns the digits of a UUID of version 4.
fn random_id() -> String {
    let random = u128::from_be_bytes(random());
    format!("{:032x}", random & !(0xf << 76 | 0x3 << 62) | 0x4 << 76 | 0x2 << 62)
}

/// Shows everything but the store and the function.
impl<R, K> fmt::Debug for FastapiSessions<R, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { records: _, key_of: _, ids, cookie, ttl } = self;
        f.debug_struct("FastapiSessions")
            .field("ids", ids)
            .field("cookie", cookie)
            .field("ttl", ttl)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sessionkit_core::ForeignErrorKind::{Ended, Invalid, Unavailable, Unreadable, Unsupported};

    use super::super::testing::{Fault, MapRecords, NOW, SECRET, kind, later, object};
    use super::*;

    const ID: &str = "3f2b8c1e111142228333444455556666";
    const KEY: &str = "session:3f2b8c1e-1111-4222-8333-444455556666";
    const OTHER: &str = "p0m2sC9YVXL4hR7dQfT1nWzKbE8uJgA5";

    fn sessions(records: MapRecords) -> FastapiSessions<MapRecords, impl Fn(&str) -> String + Send + Sync + 'static> {
        let secrets = Secrets::new([SECRET]).unwrap();
        FastapiSessions::new(secrets, ForeignCookie::new("cookie"), records, |id| format!("session:{id}"))
    }

    fn cookie_of(secret: &str, name: &str) -> String {
        FastapiSessionsId::new(Secrets::new([secret]).unwrap(), name).write_id(ID, NOW).unwrap()
    }

    #[tokio::test]
    async fn row_17_a_session_is_opened_and_ended() {
        let sessions = sessions(MapRecords::of([(KEY.to_owned(), b"{\"username\": \"ana\"}".to_vec())]));
        let cookie = cookie_of(SECRET, "cookie");
        let session = sessions.open(&cookie, later(14 * 86_400)).await.unwrap();
        assert_eq!((session.id(), &session.values), (ID, &object(json!({"username": "ana"}))));
        assert_eq!(kind(sessions.open(&cookie, later(14 * 86_400 + 1)).await), Invalid);
        sessions.end(&session).await.unwrap();
        assert_eq!(kind(sessions.open(&cookie, NOW).await), Ended);
        sessions.end(&session).await.expect("it has ended before");
    }

    #[tokio::test]
    async fn row_17_what_is_written_is_read() {
        let sessions = sessions(MapRecords::default()).max_age(Duration::from_secs(60));
        let session = ForeignSession::new("", object(json!({"username": "ana"})));
        let cookie = sessions.write(&session, NOW).await.unwrap();
        let read = sessions.open(&cookie, NOW).await.unwrap();
        assert_eq!(read.values, session.values);
        assert_eq!((read.id().len(), &read.id()[12..13]), (32, "4"));
        assert_eq!(sessions.records.ttl(&sessions.key(read.id()).unwrap()), Some(Duration::from_secs(60)));
        assert_eq!(sessions.write(&read, NOW).await.unwrap(), cookie, "the id stays");
        assert_ne!(sessions.write(&session, NOW).await.unwrap(), cookie);
        let strange = ForeignSession::new("not an id", object(json!({})));
        assert_eq!(kind(sessions.write(&strange, NOW).await), Unsupported);
    }

    #[tokio::test]
    async fn an_altered_cookie_opens_nothing() {
        let (sessions, cookie) = (sessions(MapRecords::any(b"{}")), cookie_of(SECRET, "cookie"));
        for at in 0..cookie.len() {
            let mut bytes = cookie.clone().into_bytes();
            bytes[at] ^= 1;
            assert_eq!(kind(sessions.open(&String::from_utf8(bytes).unwrap(), NOW).await), Invalid);
            assert_eq!(kind(sessions.open(&cookie[..at], NOW).await), Invalid);
        }
        let long = "a".repeat(1_000_000);
        for cookie in ["", ID, &cookie_of(OTHER, "cookie"), &cookie_of(SECRET, "other"), &long] {
            assert_eq!(kind(sessions.open(cookie, NOW).await), Invalid);
        }
        assert_eq!(sessions.records.asked(), 0);
        assert!(sessions.open(&cookie, NOW).await.is_ok());
    }

    #[tokio::test]
    async fn what_is_no_record_is_refused() {
        let large = [&b"{\"a\":\""[..], &[b'x'; 1_000_000], b"\"}"].concat();
        for record in [&b""[..], b"[]", b"{", b"\x80\x04}.", b"{\"a\":\"\xff\"}", &large] {
            let sessions = sessions(MapRecords::of([(KEY.to_owned(), record.to_vec())]));
            assert_eq!(kind(sessions.open(&cookie_of(SECRET, "cookie"), NOW).await), Unreadable);
        }
        let failing = sessions(MapRecords::failing(Fault));
        assert_eq!(kind(failing.open(&cookie_of(SECRET, "cookie"), NOW).await), Unavailable);
    }
}
