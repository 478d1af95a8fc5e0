//! Sessions in Redis whose cookie is the id, as SessionKit for FastAPI and a hundred applications have them.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use sessionkit_core::{ForeignCookie, ForeignError, ForeignSession, ForeignSessions, Timestamp};

use super::ForeignRecords;
use super::record::{DAY, load, random, read_json, ttl, write_json};

/// Opens and writes sessions that lie under their id, as JSON, and whose cookie is that id: a random UUID (version 4).
///
/// This is what [SessionKit for FastAPI](https://github.com/waseem-code7/SessionKit) does with its `RedisStore`, and what many
/// applications do by hand with `redis.set(f"session:{uuid4()}", json.dumps(data))`. Nothing signs the cookie: what proves that
/// it is genuine is that nobody can guess an id that the store knows. So nothing but a random UUID in its usual spelling is
/// looked for.
///
/// ```
/// use sessionkit::migration::{ForeignRecords, IdInCookie};
///
/// # fn of(records: impl ForeignRecords) {
/// // `RedisRecords::new(connection)`, over the Redis in which the other application keeps its sessions.
/// let sessions = IdInCookie::sessionkit_for_fastapi(records);
/// # let _ = sessions;
/// # }
/// ```
///
/// SessionKit for FastAPI sets no time to live when it changes a session: what it has changed once stays for ever. Remove what
/// is left when the migration is over.
#[derive(Clone)]
pub struct IdInCookie<R> {
    records: R,
    system: &'static str,
    prefix: Cow<'static, str>,
    cookie: ForeignCookie,
    ttl: Duration,
}

impl<R: ForeignRecords> IdInCookie<R> {
    /// Makes the reader of SessionKit for FastAPI: the keys begin with `sessions:`, which its `user_session_store` sets, and
    /// the cookie is called `session_id`, whatever its `cookie_name` says.
    pub fn sessionkit_for_fastapi(records: R) -> Self {
        Self::of(records, "sessionkit-for-fastapi", "sessions:")
    }

    /// Makes the reader of an application that does it by hand: the keys begin with `session:`, and the cookie is called
    /// `session_id`.
    pub fn by_hand(records: R) -> Self {
        Self::of(records, "id-in-cookie", "session:")
    }

    fn of(records: R, system: &'static str, prefix: &'static str) -> Self {
        Self { records, system, prefix: prefix.into(), cookie: ForeignCookie::new("session_id"), ttl: DAY }
    }

    /// Sets what the keys of the sessions begin with.
    #[must_use]
    pub fn prefix(self, prefix: impl Into<Cow<'static, str>>) -> Self {
        Self { prefix: prefix.into(), ..self }
    }

    /// Sets the cookie.
    #[must_use]
    pub fn cookie(self, cookie: ForeignCookie) -> Self {
        Self { cookie, ..self }
    }

    /// Sets how long a session is kept that is written and says of no end: a day otherwise.
    #[must_use]
    pub fn ttl(self, ttl: Duration) -> Self {
        Self { ttl, ..self }
    }

    fn key(&self, id: &str) -> String {
        format!("{}{id}", self.prefix)
    }
}

impl<R: ForeignRecords> ForeignSessions for IdInCookie<R> {
    fn system(&self) -> &'static str {
        self.system
    }

    fn cookie(&self) -> &ForeignCookie {
        &self.cookie
    }

    async fn open(&self, cookie: &str, _: Timestamp) -> Result<ForeignSession, ForeignError> {
        if !is_random_uuid(cookie) {
            return Err(ForeignError::invalid());
        }
        let record = load(&self.records, &self.key(cookie)).await?;
        Ok(ForeignSession::new(cookie, read_json(&record)?))
    }

    async fn end(&self, session: &ForeignSession) -> Result<(), ForeignError> {
        self.records.remove(&self.key(session.id())).await
    }

    fn writes(&self) -> bool {
        true
    }

    async fn write(&self, session: &ForeignSession, now: Timestamp) -> Result<String, ForeignError> {
        let id = if session.id().is_empty() { random_uuid() } else { session.id().to_owned() };
        let record = write_json(&session.values)?;
        self.records.set(&self.key(&id), record, ttl(session, self.ttl, now)).await?;
        Ok(id)
    }
}

/// Shows everything but the store.
impl<R> fmt::Debug for IdInCookie<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { records: _, system, prefix, cookie, ttl } = self;
        f.debug_struct("IdInCookie")
            .field("system", system)
            .field("prefix", prefix)
            .field("cookie", cookie)
            .field("ttl", ttl)
            .finish_non_exhaustive()
    }
}

/// Returns whether a text is a UUID of version 4 as `str(uuid.uuid4())` writes it.
fn is_random_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            14 => byte == b'4',
            19 => matches!(byte, b'8' | b'9' | b'a' | b'b'),
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

fn random_uuid() -> String {
    let random = u128::from_be_bytes(random());
    let version_and_variant = random & !(0xf << 76 | 0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let digits = format!("{version_and_variant:032x}");
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::testing::{Fault, MapRecords, NOW, kind, later, object};
    use super::*;
    use sessionkit_core::ForeignErrorKind::{Ended, Invalid, Unavailable, Unreadable, Unsupported};

    const ID: &str = "3f2b8c1e-1111-4222-8333-444455556666";

    fn with(record: impl AsRef<[u8]>) -> IdInCookie<MapRecords> {
        IdInCookie::by_hand(MapRecords::of([(format!("session:{ID}"), record.as_ref().to_vec())]))
    }

    #[tokio::test]
    async fn row_02_a_session_lies_under_its_id() {
        let values = json!({"user_id": 123, "cart": [{"id": "a"}, null], "name": "\u{c1}na"});
        let sessions = with(values.to_string());
        let session = sessions.open(ID, NOW).await.unwrap();
        assert_eq!((session.id(), Value::Object(session.values.clone())), (ID, values));
        assert_eq!((session.expires_at, session.written_at), (None, None));
        assert_eq!(session.get::<u64>("user_id").unwrap(), 123);

        sessions.end(&session).await.unwrap();
        assert_eq!(kind(sessions.open(ID, NOW).await), Ended);
        sessions.end(&session).await.expect("it has ended before");
    }

    #[tokio::test]
    async fn row_01_the_keys_of_sessionkit_for_fastapi_begin_otherwise() {
        let records = MapRecords::of([(format!("sessions:{ID}"), b"{\"a\": 1}".to_vec())]);
        let sessions = IdInCookie::sessionkit_for_fastapi(records.clone());
        assert_eq!(sessions.open(ID, NOW).await.unwrap().values, object(json!({"a": 1})));
        assert_eq!(
            (sessions.system(), ForeignSessions::cookie(&sessions).name()),
            ("sessionkit-for-fastapi", "session_id")
        );
        assert_eq!(kind(IdInCookie::by_hand(records.clone()).open(ID, NOW).await), Ended);
        let prefixed = IdInCookie::by_hand(records).prefix("sessions:").cookie(ForeignCookie::new("sid"));
        assert!(prefixed.open(ID, NOW).await.is_ok());
        assert_eq!((prefixed.system(), ForeignSessions::cookie(&prefixed).name()), ("id-in-cookie", "sid"));
    }

    #[tokio::test]
    async fn what_is_written_is_read() {
        let sessions = IdInCookie::by_hand(MapRecords::default()).ttl(Duration::from_secs(60));
        assert!(sessions.writes());
        let mut session = ForeignSession::new("", object(json!({"user_id": 7})));
        let cookie = sessions.write(&session, NOW).await.unwrap();
        assert!(is_random_uuid(&cookie), "{cookie}");
        assert_eq!(sessions.records.ttl(&format!("session:{cookie}")), Some(Duration::from_secs(60)));
        let mut read = sessions.open(&cookie, NOW).await.unwrap();
        assert_eq!(read.values, session.values);

        read.values.insert("more".to_owned(), json!(["x"]));
        read.expires_at = Some(later(5));
        assert_eq!(sessions.write(&read, NOW).await.unwrap(), cookie, "the id stays");
        assert_eq!(sessions.open(&cookie, NOW).await.unwrap().values, read.values);
        assert_eq!(sessions.records.ttl(&format!("session:{cookie}")), Some(Duration::from_secs(5)));

        let other = sessions.write(&session, NOW).await.unwrap();
        assert_ne!(other, cookie, "a new session has an id of its own");
        session.values.insert("deep".to_owned(), (0..100).fold(json!("a secret"), |inner, _| json!([inner])));
        let error = sessions.write(&session, NOW).await.unwrap_err();
        assert!(error.to_string().contains("`deep`") && !error.to_string().contains("a secret"), "{error}");
        session.values.insert("deep".to_owned(), "x".repeat(300_000).into());
        assert_eq!(kind(sessions.write(&session, NOW).await), Unsupported);
    }

    #[test]
    fn a_new_id_is_random() {
        let ids: std::collections::HashSet<String> = (0..100).map(|_| random_uuid()).collect();
        assert_eq!(ids.len(), 100);
        assert!(ids.iter().all(|id| is_random_uuid(id)), "{ids:?}");
    }

    #[tokio::test]
    async fn nothing_else_is_looked_for() {
        let sessions = IdInCookie::by_hand(MapRecords::any(b"{}"));
        assert!(sessions.open(ID, NOW).await.is_ok());
        let long = "a".repeat(1_000_000);
        for cookie in [
            "",
            "*",
            &ID[1..],
            &format!("{ID}0"),
            &format!(" {ID}"),
            &format!("{ID}\n"),
            &ID.to_uppercase(),
            &ID.replace('-', ""),
            &format!("{{{ID}}}"),
            &format!("urn:uuid:{ID}"),
            // Of version 1, which tells the time and the machine, and of another variant.
            "3f2b8c1e-1111-1222-8333-444455556666",
            "3f2b8c1e-1111-4222-7333-444455556666",
            "3f2b8c1e-1111-4222-c333-444455556666",
            "00000000-0000-0000-0000-000000000000",
            "3f2b8c1e:1111-4222-8333-444455556666",
            "3f2b8c1e-1111-4222-8333-44445555666\u{e9}",
            &long,
        ] {
            assert_eq!(kind(sessions.open(cookie, NOW).await), Invalid, "{}", &cookie[..cookie.len().min(50)]);
        }
        assert_eq!(sessions.records.asked(), 1);
    }

    #[tokio::test]
    async fn a_record_that_is_no_object_is_refused() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(100), "]".repeat(100));
        let large = format!("{{\"a\":\"{}\"}}", "x".repeat(1_000_000));
        for record in [
            &b""[..],
            b"[]",
            b"null",
            b"1",
            b"\"a\"",
            b"{",
            b"{} {}",
            b"{\"a\":1,\"a\":2}",
            b"{\"a\":NaN}",
            b"{\"a\":100000000000000000000}",
            b"{\"a\":\"\xff\"}",
            b"\x80\x04\x95\x0a\x00\x00\x00\x00\x00\x00\x00}\x94.",
            deep.as_bytes(),
            large.as_bytes(),
        ] {
            let error = with(record).open(ID, NOW).await.unwrap_err();
            assert_eq!(error.kind(), Unreadable, "{:?}", &record[..record.len().min(30)]);
            assert!(!format!("{error:?}").contains(ID), "{error:?}");
        }
    }

    #[tokio::test]
    async fn a_store_that_fails_is_no_session_that_has_ended() {
        let sessions = IdInCookie::by_hand(MapRecords::failing(Fault));
        assert_eq!(kind(sessions.open(ID, NOW).await), Unavailable);
        assert_eq!(kind(sessions.end(&ForeignSession::new(ID, object(json!({})))).await), Unavailable);
        assert_eq!(kind(sessions.write(&ForeignSession::default(), NOW).await), Unavailable);
    }
}
