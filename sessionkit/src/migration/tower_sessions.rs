//! The sessions of tower-sessions in Redis.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sessionkit_core::{ForeignCookie, ForeignError, ForeignSession, ForeignSessions, SameSite, Timestamp};

use self::stored::Stored;
use super::cookie_key::Protection;
use super::record::{load, random};
use super::{CookieKey, ForeignRecords};

mod stored;

/// Opens and writes the sessions of [tower-sessions](https://docs.rs/tower-sessions) in the `RedisStore` of
/// tower-sessions-redis-store.
///
/// The cookie is the id, 128 random bits, plain by default, or signed, or encrypted. The record is MessagePack.
///
/// ```
/// use sessionkit::migration::{ForeignRecords, TowerSessions};
///
/// # fn of(records: impl ForeignRecords) {
/// // `RedisRecords::new(connection)`, over the Redis of the `RedisStore`.
/// let sessions = TowerSessions::new(records);
/// # let _ = sessions;
/// # }
/// ```
#[derive(Clone)]
pub struct TowerSessions<R> {
    records: R,
    protection: Protection,
    cookie: ForeignCookie,
    ttl: Duration,
}

impl<R: ForeignRecords> TowerSessions<R> {
    /// Takes the records. The cookie is called `id`, and is plain.
    pub fn new(records: R) -> Self {
        let cookie = ForeignCookie::new("id").same_site(SameSite::Strict);
        Self { records, protection: Protection::None, cookie, ttl: Duration::from_secs(14 * 86_400) }
    }

    /// Takes the key of a layer `with_signed`: a cookie without a signature opens nothing then.
    #[must_use]
    pub fn signed(self, key: CookieKey) -> Self {
        Self { protection: Protection::Signed(key), ..self }
    }

    /// Takes the key of a layer `with_private`: a cookie that is not encrypted opens nothing then.
    #[must_use]
    pub fn private(self, key: CookieKey) -> Self {
        Self { protection: Protection::Private(key), ..self }
    }

    /// Sets the cookie. Its name is a part of what is encrypted.
    #[must_use]
    pub fn cookie(self, cookie: ForeignCookie) -> Self {
        Self { cookie, ..self }
    }

    /// Sets how long a session is good that is written and says of no end: 14 days otherwise.
    #[must_use]
    pub fn ttl(self, ttl: Duration) -> Self {
        Self { ttl, ..self }
    }
}

impl<R: ForeignRecords> ForeignSessions for TowerSessions<R> {
    fn system(&self) -> &'static str {
        "tower-sessions"
    }

    fn cookie(&self) -> &ForeignCookie {
        &self.cookie
    }

    async fn open(&self, cookie: &str, now: Timestamp) -> Result<ForeignSession, ForeignError> {
        let id = self.protection.open(self.cookie.name(), cookie).and_then(|id| Some((read_id(&id)?, id)));
        let (number, id) = id.ok_or_else(ForeignError::invalid)?;
        let stored = Stored::read(&load(&self.records, &id).await?)?;
        if stored.id != number {
            return Err(ForeignError::unreadable("the record is of another session"));
        }
        if stored.expires_at <= now {
            return Err(ForeignError::ended());
        }
        let mut session = ForeignSession::new(id, stored.values);
        session.expires_at = Some(stored.expires_at);
        Ok(session)
    }

    async fn end(&self, session: &ForeignSession) -> Result<(), ForeignError> {
        self.records.remove(session.id()).await
    }

    fn writes(&self) -> bool {
        true
    }

    async fn write(&self, session: &ForeignSession, now: Timestamp) -> Result<String, ForeignError> {
        let id = session.id();
        let id = if id.is_empty() { URL_SAFE_NO_PAD.encode(random::<16>()) } else { id.to_owned() };
        let number = read_id(&id).ok_or_else(|| ForeignError::unwritable("the id is none of tower-sessions"))?;
        let expires_at = session.expires_at.unwrap_or_else(|| now.saturating_add(self.ttl));
        let record = Stored { id: number, values: session.values.clone(), expires_at }.write()?;
        self.records.set(&id, record, expires_at.saturating_duration_since(now)).await?;
        Ok(self.protection.seal(self.cookie.name(), &id))
    }
}

/// Shows everything but the store and the key.
impl<R> fmt::Debug for TowerSessions<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { records: _, protection, cookie, ttl } = self;
        f.debug_struct("TowerSessions")
            .field("protection", protection)
            .field("cookie", cookie)
            .field("ttl", ttl)
            .finish_non_exhaustive()
    }
}

/// Reads the number of an id, which is 16 bytes in base64url, in their one spelling.
fn read_id(text: &str) -> Option<i128> {
    let bytes = Some(text).filter(|text| text.len() == 22).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok())?;
    Some(i128::from_le_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};
    use sessionkit_core::ForeignErrorKind::{Ended, Invalid, Unavailable, Unreadable, Unsupported};

    use super::super::testing::{Fault, MapRecords, NOW, kind, later, object};
    use super::*;

    const ID: &str = "AAECAwQFBgcICQoLDA0ODw";

    fn key() -> CookieKey {
        CookieKey::new(&std::array::from_fn::<u8, 64, _>(|at| u8::try_from(at).unwrap())).unwrap()
    }

    fn with(record: &[u8]) -> TowerSessions<MapRecords> {
        TowerSessions::new(MapRecords::of([(ID.to_owned(), record.to_vec())]))
    }

    fn record(id: &str, expires_at: Timestamp) -> Vec<u8> {
        Stored { id: read_id(id).unwrap(), values: object(json!({"user_id": 7})), expires_at }.write().unwrap()
    }

    #[tokio::test]
    async fn row_02_a_session_is_opened_and_ended() {
        let sessions = with(&record(ID, later(60)));
        let session = sessions.open(ID, later(59)).await.unwrap();
        assert_eq!((session.id(), session.expires_at), (ID, Some(later(60))));
        assert_eq!(session.values, object(json!({"user_id": 7})));
        assert_eq!(kind(sessions.open(ID, later(60)).await), Ended);
        sessions.end(&session).await.unwrap();
        assert_eq!(kind(sessions.open(ID, NOW).await), Ended);
        sessions.end(&session).await.expect("it has ended before");
    }

    #[tokio::test]
    async fn what_is_written_is_read() {
        let records = MapRecords::default();
        let plain = TowerSessions::new(records.clone());
        for sessions in [plain.clone(), plain.clone().signed(key()), plain.private(key())] {
            let session = ForeignSession::new("", object(json!({"user_id": 7, "\u{e9}": [1.5, null, {}]})));
            let cookie = sessions.write(&session, NOW).await.unwrap();
            let read = sessions.open(&cookie, NOW).await.unwrap();
            assert_eq!((&read.values, read.expires_at), (&session.values, Some(later(14 * 86_400))));
            assert_eq!(records.ttl(read.id()), Some(Duration::from_secs(14 * 86_400)));
            let again = sessions.write(&read, later(60)).await.unwrap();
            assert_eq!(sessions.open(&again, NOW).await.unwrap().id(), read.id(), "the id stays");
            assert_eq!(records.ttl(read.id()), Some(Duration::from_secs(14 * 86_400 - 60)));
        }
        let strange = ForeignSession::new("strange", Map::new());
        assert_eq!(kind(with(b"").write(&strange, NOW).await), Unsupported);
    }

    #[tokio::test]
    async fn only_ids_are_looked_for() {
        let sessions = TowerSessions::new(MapRecords::any(b""));
        let long = "a".repeat(1_000_000);
        // The last one has bits that mean nothing.
        for cookie in
            ["", &ID[1..], &format!("{ID}A"), &format!("{ID}=="), &ID.replace('D', "*"), &ID.replace("Dw", "Dx"), &long]
        {
            assert_eq!(kind(sessions.open(cookie, NOW).await), Invalid, "{}", &cookie[..cookie.len().min(50)]);
        }
        let (signed, private) = (sessions.clone().signed(key()), sessions.clone().private(key()));
        for (sessions, others) in [(&signed, [&sessions, &private]), (&private, [&sessions, &signed])] {
            for other in others {
                assert_eq!(kind(sessions.open(&other.protection.seal("id", ID), NOW).await), Invalid);
            }
            assert_eq!(kind(sessions.open(&sessions.protection.seal("id", "short"), NOW).await), Invalid);
        }
        assert_eq!(sessions.records.asked(), 0);
    }

    #[tokio::test]
    async fn what_is_no_record_is_refused() {
        let good = record(ID, later(60));
        for length in 0..good.len() {
            assert_eq!(kind(with(&good[..length]).open(ID, NOW).await), Unreadable, "{length}");
        }
        let other = record("AQECAwQFBgcICQoLDA0ODw", later(60));
        let large = [&good[..], &[0xc0; 1_000_000]].concat();
        for record in [
            &other[..],
            &large,
            &[&good[..], &b"\xc0"[..]].concat(),
            b"{}",
            b"\x80",
            b"\x80\x04}.",
            b"\x93\xc0\xc0\xc0",
        ] {
            assert_eq!(kind(with(record).open(ID, NOW).await), Unreadable);
        }
        assert_eq!(kind(TowerSessions::new(MapRecords::failing(Fault)).open(ID, NOW).await), Unavailable);
    }
}
