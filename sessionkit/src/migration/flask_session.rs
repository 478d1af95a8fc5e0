//! The sessions of Flask-Session in Redis.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use sessionkit_core::{ForeignCookie, ForeignError, ForeignSession, ForeignSessions, Timestamp};

use super::record::{load, random, read_json, ttl, write_json};
use super::{ForeignRecords, message_pack};
use crate::formats::Secrets;
use crate::formats::itsdangerous::Signer;

/// Opens and writes the sessions of [Flask-Session](https://flask-session.readthedocs.io) with `SESSION_TYPE = "redis"`, in
/// MessagePack or JSON.
///
/// The cookie is the id, which nobody can guess, or the id with a signature, with `SESSION_USE_SIGNER`. A session that an old
/// version left behind as a pickle is never read, since reading one executes it. Let Flask-Session 0.8 write each session once
/// before it is taken over; it replaces pickles. What JSON has no form for cannot be read either: bytes and dates, for example.
///
/// `_permanent`, and `_flashes` with the messages of `flash()`, are among the values, as they are in Flask.
///
/// ```
/// use sessionkit::migration::{FlaskSession, ForeignRecords};
///
/// # fn of(records: impl ForeignRecords) {
/// // `RedisRecords::new(connection)`, over the Redis of `SESSION_REDIS`.
/// let sessions = FlaskSession::new(records);
/// # let _ = sessions;
/// # }
/// ```
#[derive(Clone)]
pub struct FlaskSession<R> {
    records: R,
    signer: Option<Signer>,
    writes_json: bool,
    prefix: Cow<'static, str>,
    cookie: ForeignCookie,
    ttl: Duration,
}

impl<R: ForeignRecords> FlaskSession<R> {
    /// Takes the records. The keys begin with `session:`, the cookie is called `session`, and sessions are written in
    /// MessagePack: these are the defaults of Flask-Session.
    pub fn new(records: R) -> Self {
        Self {
            records,
            signer: None,
            writes_json: false,
            prefix: "session:".into(),
            cookie: ForeignCookie::new("session"),
            ttl: Duration::from_secs(31 * 86_400),
        }
    }

    /// Takes the `SECRET_KEY` with which the ids are signed, for `SESSION_USE_SIGNER = True`: an id without a signature opens
    /// nothing then. Flask-Session knows one secret, which has to be the first one if it is to read what is written here.
    #[must_use]
    pub fn signed(self, secrets: &Secrets) -> Self {
        Self { signer: Some(Signer::with_hmac_keys(secrets, "flask-session")), ..self }
    }

    /// Writes sessions in JSON, as with `SESSION_SERIALIZATION_FORMAT = "json"`. Both are read, as Flask-Session does.
    #[must_use]
    pub fn json(self) -> Self {
        Self { writes_json: true, ..self }
    }

    /// Sets what the keys begin with: `SESSION_KEY_PREFIX`.
    #[must_use]
    pub fn prefix(self, prefix: impl Into<Cow<'static, str>>) -> Self {
        Self { prefix: prefix.into(), ..self }
    }

    /// Sets the cookie: `SESSION_COOKIE_NAME`, and those beside it.
    #[must_use]
    pub fn cookie(self, cookie: ForeignCookie) -> Self {
        Self { cookie, ..self }
    }

    /// Sets how long a session is kept that is written and says of no end, as `PERMANENT_SESSION_LIFETIME` does: 31 days otherwise.
    #[must_use]
    pub fn ttl(self, ttl: Duration) -> Self {
        Self { ttl, ..self }
    }

    fn key(&self, id: &str) -> String {
        format!("{}{id}", self.prefix)
    }
}

impl<R: ForeignRecords> ForeignSessions for FlaskSession<R> {
    fn system(&self) -> &'static str {
        "flask-session"
    }

    fn cookie(&self) -> &ForeignCookie {
        &self.cookie
    }

    async fn open(&self, cookie: &str, _: Timestamp) -> Result<ForeignSession, ForeignError> {
        let id = self.signer.as_ref().map_or(Ok(cookie), |signer| signer.unsign(cookie))?;
        if !is_id(id) {
            return Err(ForeignError::invalid());
        }
        Ok(ForeignSession::new(id, read(&load(&self.records, &self.key(id)).await?)?))
    }

    async fn end(&self, session: &ForeignSession) -> Result<(), ForeignError> {
        self.records.remove(&self.key(session.id())).await
    }

    fn writes(&self) -> bool {
        true
    }

    async fn write(&self, session: &ForeignSession, now: Timestamp) -> Result<String, ForeignError> {
        let id = session.id();
        let id = if id.is_empty() { URL_SAFE_NO_PAD.encode(random::<32>()) } else { id.to_owned() };
        let values = &session.values;
        let record = if self.writes_json { write_json(values)? } else { message_pack::write(values)? };
        self.records.set(&self.key(&id), record, ttl(session, self.ttl, now)).await?;
        Ok(self.signer.as_ref().map_or_else(|| id.clone(), |signer| signer.sign(&id)))
    }
}

/// Shows everything but the store and the secrets.
impl<R> fmt::Debug for FlaskSession<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { records: _, signer, writes_json, prefix, cookie, ttl } = self;
        f.debug_struct("FlaskSession")
            .field("signed", &signer.is_some())
            .field("writes_json", writes_json)
            .field("prefix", prefix)
            .field("cookie", cookie)
            .field("ttl", ttl)
            .finish_non_exhaustive()
    }
}

/// Returns whether a text can be an id that nobody can guess: 43 characters by default, and at least 22 of base64url, or a
/// UUID, as versions before 0.6 had it.
fn is_id(text: &str) -> bool {
    (22..=256).contains(&text.len())
        && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_'))
}

/// Reads a record, whose first byte says what it is: no text in JSON is a map in MessagePack, and no pickle is.
fn read(record: &[u8]) -> Result<Map<String, Value>, ForeignError> {
    match record {
        [0x80, 2..=5, ..] => {
            Err(ForeignError::unreadable("the record is a pickle, which is never read: it would be executed"))
        }
        [b'{', ..] => read_json(record),
        _ => message_pack::read(record),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sessionkit_core::ForeignErrorKind::{Ended, Invalid, Unavailable, Unreadable};

    use super::super::testing::{Fault, MapRecords, NOW, SECRET, kind, later, object};
    use super::*;

    const ID: &str = "pZ0nB1kqf8VxYJ6sT3mWcQ2rLd9uHgAe5oXiKwNvC7E";

    fn with(record: &[u8]) -> FlaskSession<MapRecords> {
        FlaskSession::new(MapRecords::of([(format!("session:{ID}"), record.to_vec())]))
    }

    fn secrets() -> Secrets {
        Secrets::new([SECRET]).unwrap()
    }

    #[tokio::test]
    async fn message_pack_and_json_are_read() {
        for record in [&b"\x82\xaa_permanent\xc3\xa7user_id\x7b"[..], b"{\"_permanent\":true,\"user_id\":123}"] {
            for sessions in [with(record), with(record).json()] {
                let session = sessions.open(ID, NOW).await.unwrap();
                assert_eq!((session.id(), &session.values), (ID, &object(json!({"_permanent": true, "user_id": 123}))));
                sessions.end(&session).await.unwrap();
                assert_eq!(kind(sessions.open(ID, NOW).await), Ended);
            }
        }
    }

    #[tokio::test]
    async fn what_is_written_is_read() {
        let session = ForeignSession::new("", object(json!({"user_id": 7, "\u{e9}": [1.5, null, {}]})));
        for json in [false, true] {
            for signed in [false, true] {
                let sessions = FlaskSession::new(MapRecords::default());
                let sessions = if json { sessions.json() } else { sessions };
                let sessions = if signed { sessions.signed(&secrets()) } else { sessions };
                let cookie = sessions.write(&session, NOW).await.unwrap();
                assert_eq!(cookie.len(), if signed { 43 + 1 + 27 } else { 43 });
                let mut read = sessions.open(&cookie, NOW).await.unwrap();
                assert_eq!(read.values, session.values);
                let key = format!("session:{}", read.id());
                assert_eq!(sessions.records.record(&key).unwrap()[0] == b'{', json);
                assert_eq!(sessions.records.ttl(&key), Some(Duration::from_secs(31 * 86_400)));
                read.expires_at = Some(later(60));
                assert_eq!(sessions.write(&read, NOW).await.unwrap(), cookie, "the id stays");
                assert_eq!(sessions.records.ttl(&key), Some(Duration::from_secs(60)));
                assert_ne!(sessions.write(&session, NOW).await.unwrap(), cookie);
            }
        }
    }

    #[tokio::test]
    async fn a_pickle_is_never_read() {
        // `{"user_id": 123}` by `pickle.dumps`, and a program that would run `id`, each by its first bytes.
        let program = b"\x80\x04\x95\x1d\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x8c\x06system\x93\x8c\x02id\x85R.";
        for protocol in 2..=5 {
            for rest in [&b"}q\x00X\x07\x00\x00\x00user_idq\x01K{s."[..], &program[2..], b""] {
                let error = with(&[&[0x80, protocol], rest].concat()).open(ID, NOW).await.unwrap_err();
                assert_eq!(error.kind(), Unreadable);
                assert!(error.to_string().contains("pickle"), "{error}");
            }
        }
        // Those of protocols 0 and 1 are no MessagePack either.
        for pickle in [&b"(dp0\nVuser_id\np1\nI123\ns."[..], b"}q\x00X\x07\x00\x00\x00user_idq\x01K{s."] {
            assert_eq!(kind(with(pickle).open(ID, NOW).await), Unreadable);
        }
    }

    #[tokio::test]
    async fn what_is_no_record_is_refused() {
        let large = [&b"\x81\xa1a\xdb\x00\x0f\x42\x40"[..], &[b'x'; 1_000_000]].concat();
        let deep = [&b"{\"a\":"[..], &[b'['; 1000]].concat();
        for record in
            [&b""[..], b"\x90", b"[]", b"{", b"{}x", b"\x81\xa1a\xc4\x01a", b"{\"a\":\"\xff\"}", &large, &deep]
        {
            assert_eq!(kind(with(record).open(ID, NOW).await), Unreadable, "{:?}", &record[..record.len().min(20)]);
        }
    }

    #[tokio::test]
    async fn only_ids_are_looked_for() {
        let sessions = FlaskSession::new(MapRecords::any(b"\x80"));
        assert!(sessions.open(ID, NOW).await.is_ok());
        assert!(sessions.open("3f2b8c1e-1111-4222-8333-444455556666", NOW).await.is_ok(), "of an older version");
        let long = "a".repeat(1_000_000);
        for cookie in [
            "",
            "short",
            &ID[..21],
            &format!("{ID}:x"),
            &format!("{ID} "),
            &format!("{ID}*"),
            &format!("{ID}\u{e9}"),
            &long,
        ] {
            assert_eq!(kind(sessions.open(cookie, NOW).await), Invalid, "{}", &cookie[..cookie.len().min(50)]);
        }
        assert_eq!(sessions.records.asked(), 2);
    }

    #[tokio::test]
    async fn a_signature_is_checked_before_the_store_is_asked() {
        let sessions = FlaskSession::new(MapRecords::any(b"\x80")).signed(&secrets());
        let cookie = sessions.write(&ForeignSession::new(ID, Map::new()), NOW).await.unwrap();
        assert!(sessions.open(&cookie, NOW).await.is_ok());
        let asked = sessions.records.asked();
        for at in 0..cookie.len() {
            for bit in 0..7 {
                let mut bytes = cookie.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                let altered = String::from_utf8(bytes).unwrap();
                assert_eq!(kind(sessions.open(&altered, NOW).await), Invalid, "{altered}");
            }
            assert_eq!(kind(sessions.open(&cookie[..at], NOW).await), Invalid);
        }
        let other = Secrets::new(["p0m2sC9YVXL4hR7dQfT1nWzKbE8uJgA5"]).unwrap();
        let theirs = FlaskSession::new(MapRecords::default()).signed(&other);
        let theirs = theirs.write(&ForeignSession::new(ID, Map::new()), NOW).await.unwrap();
        // What Flask signs for its own sessions has another salt.
        let salted = Signer::with_hmac_keys(&secrets(), "cookie-session").sign(ID);
        for cookie in [ID, &theirs, &salted, &format!("{cookie}.{cookie}"), &"a".repeat(1_000_000)] {
            assert_eq!(kind(sessions.open(cookie, NOW).await), Invalid, "{}", &cookie[..cookie.len().min(50)]);
        }
        assert_eq!(sessions.records.asked(), asked);
        let both = Secrets::new(["p0m2sC9YVXL4hR7dQfT1nWzKbE8uJgA5", SECRET]).unwrap();
        let rotated = FlaskSession::new(MapRecords::any(b"\x80")).signed(&both);
        assert!(rotated.open(&cookie, NOW).await.is_ok() && rotated.open(&theirs, NOW).await.is_ok());
        assert!(!format!("{rotated:?}").contains(SECRET), "{rotated:?}");
    }

    #[tokio::test]
    async fn a_store_that_fails_is_no_session_that_has_ended() {
        assert_eq!(kind(FlaskSession::new(MapRecords::failing(Fault)).open(ID, NOW).await), Unavailable);
    }
}
