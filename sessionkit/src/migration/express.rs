//! Sessions of express-session, which connect-redis keeps.

mod date;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Map, Value, json};
use sessionkit_core::facade::CookieAttributes;
use sessionkit_core::{
    ForeignCookie, ForeignError, ForeignSession, ForeignSessions, InvalidCookie, SameSite, Timestamp,
};
use sha2::Sha256;

use super::records::ForeignRecords;
use super::{javascript, percent};
use crate::formats::Secrets;
use crate::formats::limits::check_length;

/// The member of a record that holds the attributes of the cookie.
const COOKIE: &str = "cookie";

/// Keys at the top of a session that express-session, or each object in JavaScript, has for itself: a value under one of them would be lost there.
const RESERVED: [&str; 19] = [
    "__defineGetter__",
    "__defineSetter__",
    "__lookupGetter__",
    "__lookupSetter__",
    COOKIE,
    "destroy",
    "hasOwnProperty",
    "id",
    "isPrototypeOf",
    "propertyIsEnumerable",
    "regenerate",
    "reload",
    "req",
    "resetMaxAge",
    "save",
    "toLocaleString",
    "toString",
    "touch",
    "valueOf",
];

/// Reads and writes the sessions of express-session in Redis, where connect-redis keeps them.
///
/// The settings are those of the application, under these names:
///
/// | there | here |
/// |---|---|
/// | `secret` | [`Secrets`], in the same order |
/// | `name`, `cookie` | [`cookie`](Self::cookie) |
/// | `rolling` | [`rolling`](Self::rolling) |
/// | `prefix` of the store | [`prefix`](Self::prefix) |
/// | `ttl` of the store | [`ttl`](Self::ttl) |
///
/// ```no_run
/// use sessionkit::formats::Secrets;
/// use sessionkit::migration::{ExpressSessions, ForeignCookie};
/// # use sessionkit::migration::ForeignRecords;
///
/// # fn sessions(records: impl ForeignRecords, secret: &str) -> Result<impl Sized, sessionkit::KeyError> {
/// let sessions = ExpressSessions::new(Secrets::of_running_application([secret])?, records)
///     .cookie(ForeignCookie::new("connect.sid").domain("shop.example"));
/// # Ok(sessions)
/// # }
/// ```
///
/// A cookie is `s:`, the id of a session, a dot, and the HMAC-SHA256 of the id. A record is JSON, in which the member `cookie` holds
/// the attributes of the cookie: it is no value of the session, and is kept as it is when the session is written again, unless
/// its time to end has changed.
///
/// A record with a key `__proto__`, `constructor` or `prototype`, at any depth, is not read and not written: a program that copies
/// it may change the prototypes of its objects.
#[derive(Clone)]
pub struct ExpressSessions<R> {
    macs: Arc<[Hmac<Sha256>]>,
    records: R,
    cookie: ForeignCookie,
    prefix: Cow<'static, str>,
    ttl: Duration,
    rolling: bool,
}

impl<R: ForeignRecords> ExpressSessions<R> {
    /// Takes the secrets, of which the first one signs, and the records. The cookie is `connect.sid`, and the keys of the records
    /// begin with `sess:`.
    pub fn new(secrets: Secrets, records: R) -> Self {
        let mac = |secret: &str| Hmac::new_from_slice(secret.as_bytes()).expect("a key of an HMAC may have any length");
        Self {
            macs: secrets.iter().map(mac).collect(),
            records,
            cookie: ForeignCookie::new("connect.sid"),
            prefix: "sess:".into(),
            ttl: Duration::from_secs(86_400),
            rolling: false,
        }
    }

    /// Sets the cookie. New sessions get its attributes.
    #[must_use]
    pub fn cookie(self, cookie: ForeignCookie) -> Self {
        Self { cookie, ..self }
    }

    /// Sets what the keys of the records begin with.
    #[must_use]
    pub fn prefix(self, prefix: impl Into<Cow<'static, str>>) -> Self {
        Self { prefix: prefix.into(), ..self }
    }

    /// Sets how long a record is kept whose cookie does not say when it ends. It is a day by default.
    #[must_use]
    pub fn ttl(self, ttl: Duration) -> Self {
        Self { ttl, ..self }
    }

    /// Sets whether each response lengthens a session there. The record of such a session may say that it ended long ago: it
    /// ends when it is no longer in the store.
    #[must_use]
    pub fn rolling(self, rolling: bool) -> Self {
        Self { rolling, ..self }
    }

    /// Returns the id that a cookie stands for.
    fn id_of(&self, cookie: &str) -> Result<String, InvalidCookie> {
        check_length(cookie)?;
        let cookie = percent::decode(cookie)?;
        let (id, signature) = cookie.strip_prefix("s:").and_then(|rest| rest.rsplit_once('.')).ok_or(InvalidCookie)?;
        let signature = STANDARD_NO_PAD.decode(signature).map_err(|_| InvalidCookie)?;
        let verifies = |mac: &Hmac<Sha256>| mac.clone().chain_update(id).verify_slice(&signature).is_ok();
        if id.is_empty() || !self.macs.iter().any(verifies) {
            return Err(InvalidCookie);
        }
        Ok(id.to_owned())
    }

    /// Returns the cookie of an id.
    fn cookie_of(&self, id: &str) -> String {
        // There is a first secret: a list without one is refused.
        let signature = self.macs[0].clone().chain_update(id).finalize().into_bytes();
        percent::encode(&format!("s:{id}.{}", STANDARD_NO_PAD.encode(signature)))
    }

    fn key(&self, id: &str) -> String {
        format!("{}{id}", self.prefix)
    }

    /// Returns when a session ends whose cookie has these attributes.
    fn expires_at(&self, cookie: &Map<String, Value>, now: Timestamp) -> Result<Option<Timestamp>, ForeignError> {
        let unreadable = |member| ForeignError::unreadable(format!("the member `{member}` of `cookie` is not a time"));
        let expires_at = match cookie.get("expires") {
            // Without `maxAge` the cookie ends with the browser, and the record when the store says so.
            None | Some(Value::Null | Value::Bool(false)) => return Ok(None),
            Some(Value::String(text)) => date::read(text).ok_or_else(|| unreadable("expires"))?,
            Some(_) => return Err(unreadable("expires")),
        };
        if !self.rolling {
            return Ok(Some(expires_at));
        }
        let max_age =
            cookie.get("originalMaxAge").and_then(Value::as_u64).ok_or_else(|| unreadable("originalMaxAge"))?;
        Ok(Some(expires_at.max(now.saturating_add(Duration::from_millis(max_age)))))
    }

    /// Makes the attributes of the cookie of a new session.
    fn new_cookie(&self, expires_at: Option<Timestamp>, now: Timestamp) -> Map<String, Value> {
        let CookieAttributes { path, domain, secure, http_only, same_site } = (&self.cookie).into();
        let max_age = expires_at.map(|expires_at| expires_at.saturating_duration_since(now).as_secs() * 1000);
        let same_site = same_site.map(|same_site| match same_site {
            SameSite::Strict => "strict",
            SameSite::Lax => "lax",
            SameSite::None => "none",
        });
        let members = json!({
            "originalMaxAge": max_age, "expires": expires_at.map(date::write), "secure": secure,
            "httpOnly": http_only, "domain": domain, "path": path, "sameSite": same_site,
        });
        let Value::Object(mut members) = members else { unreachable!("it is an object") };
        // They are left out there, where `null` would be another value.
        members.retain(|name, value| !value.is_null() || matches!(&**name, "originalMaxAge" | "expires"));
        members
    }

    /// Returns the attributes of the cookie of a session, and when it ends.
    fn cookie_to_write(
        &self,
        session: &ForeignSession,
        now: Timestamp,
    ) -> Result<(Map<String, Value>, Option<Timestamp>), ForeignError> {
        let mut cookie = match session.keepsake() {
            None => return Ok((self.new_cookie(session.expires_at, now), session.expires_at)),
            Some(Value::Object(cookie)) => cookie.clone(),
            Some(_) => return Err(ForeignError::unwritable("the session is none of express-session")),
        };
        let expires_at = session.expires_at.or(self.expires_at(&cookie, now)?);
        // Of a rolling session it says less than when the session ends.
        let said = cookie.get("expires").and_then(Value::as_str).and_then(date::read);
        if expires_at != said {
            cookie.insert("expires".to_owned(), expires_at.map(date::write).into());
        }
        Ok((cookie, expires_at))
    }
}

impl<R: ForeignRecords> ForeignSessions for ExpressSessions<R> {
    fn system(&self) -> &'static str {
        "express-session"
    }

    fn cookie(&self) -> &ForeignCookie {
        &self.cookie
    }

    async fn open(&self, cookie: &str, now: Timestamp) -> Result<ForeignSession, ForeignError> {
        let id = self.id_of(cookie)?;
        let record = self.records.get(&self.key(&id)).await?.ok_or_else(ForeignError::ended)?;
        let mut values = javascript::read(&record)?;
        let Some(Value::Object(cookie)) = values.remove(COOKIE) else {
            return Err(ForeignError::unreadable("the record has no object `cookie`, as each of express-session has"));
        };
        let expires_at = self.expires_at(&cookie, now)?;
        if expires_at.is_some_and(|expires_at| expires_at <= now) {
            return Err(ForeignError::ended());
        }
        let mut session = ForeignSession::new(id, values).with_keepsake(cookie.into());
        session.expires_at = expires_at;
        Ok(session)
    }

    async fn end(&self, session: &ForeignSession) -> Result<(), ForeignError> {
        self.records.remove(&self.key(session.id())).await
    }

    fn writes(&self) -> bool {
        true
    }

    async fn write(&self, session: &ForeignSession, now: Timestamp) -> Result<String, ForeignError> {
        if let Some(key) = RESERVED.into_iter().find(|key| session.values.contains_key(*key)) {
            return Err(ForeignError::unwritable(format!("express-session has the key `{key}` for itself")));
        }
        let (cookie, expires_at) = self.cookie_to_write(session, now)?;
        let ttl = expires_at.map_or(self.ttl, |expires_at| expires_at.saturating_duration_since(now));
        if ttl.is_zero() {
            return Err(ForeignError::ended());
        }
        let id = if session.id().is_empty() { Cow::Owned(new_id()) } else { session.id().into() };
        let mut record = session.values.clone();
        record.insert(COOKIE.to_owned(), cookie.into());
        let record = javascript::write(&record)?.into_bytes();
        self.records.set(&self.key(&id), record, ttl).await?;
        Ok(self.cookie_of(&id))
    }
}

/// Shows the settings, and the number of secrets.
impl<R> fmt::Debug for ExpressSessions<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { macs, records: _, cookie, prefix, ttl, rolling } = self;
        f.debug_struct("ExpressSessions")
            .field("secrets", &macs.len())
            .field("cookie", cookie)
            .field("prefix", prefix)
            .field("ttl", ttl)
            .field("rolling", rolling)
            .finish_non_exhaustive()
    }
}

fn new_id() -> String {
    let mut id = [0; 24];
    getrandom::fill(&mut id).expect("the operating system gives random bytes");
    URL_SAFE_NO_PAD.encode(id)
}
