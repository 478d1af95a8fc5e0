//! The contract of a reader for the sessions of another system, which people bring along when they move in.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::config::SameSite;
use crate::error::Cause;
use crate::format::{FormatError, InvalidCookie};
use crate::time::Timestamp;

/// Opens the sessions of another system, ends them, and writes them if its format allows.
///
/// The readers of known systems are in the module `migration` of the crate `sessionkit`. A reader proves that the other system, or its
/// store, knows the session: there is no reader for cookies that anybody can write.
pub trait ForeignSessions: Send + Sync + 'static {
    /// Returns the name of the system, for events and counts: `express-session`.
    fn system(&self) -> &'static str;

    /// Returns the cookie of the system.
    fn cookie(&self) -> &ForeignCookie;

    /// Opens the session of a cookie. The value comes as it was sent, without the double quotes that may stand around it.
    ///
    /// # Errors
    /// Fails as [`ForeignError`] says. Nothing of a cookie or of a record is executed, and sizes are limited.
    fn open(&self, cookie: &str, now: Timestamp) -> impl Future<Output = Result<ForeignSession, ForeignError>> + Send;

    /// Ends a session that was opened: the cookie opens nothing any more. A session that lies in its cookie cannot be ended, and
    /// neither is that an error, nor a session that has ended before.
    ///
    /// # Errors
    /// Fails when the store of the other system does.
    fn end(&self, session: &ForeignSession) -> impl Future<Output = Result<(), ForeignError>> + Send;

    /// Returns what stands between the name of the cookie and a number where the system cuts a long value into several cookies,
    /// `name.0`, `name.1` .. for example; they are put together before [`open`](Self::open). None by default.
    fn chunk_separator(&self) -> Option<&'static str> {
        None
    }

    /// Returns whether sessions can be written, which the mode *dual-write* needs.
    fn writes(&self) -> bool {
        false
    }

    /// Writes a session as the other system would, and returns the value of its cookie, as it is sent. A session without an id is new, and gets one.
    ///
    /// # Errors
    /// Fails when the format has no way to say something, and when the store of the other system fails. By default nothing can be written.
    fn write(
        &self,
        session: &ForeignSession,
        now: Timestamp,
    ) -> impl Future<Output = Result<String, ForeignError>> + Send {
        let _ = (session, now);
        std::future::ready(Err(ForeignError::unsupported()))
    }
}

/// The cookie of another system: its name and its attributes, which a removal has to repeat.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ForeignCookie {
    pub(crate) name: Cow<'static, str>,
    pub(crate) path: Cow<'static, str>,
    pub(crate) domain: Option<Cow<'static, str>>,
    pub(crate) secure: bool,
    pub(crate) http_only: bool,
    pub(crate) same_site: Option<SameSite>,
}

impl ForeignCookie {
    /// Makes a cookie of this name, with the path `/`, without a domain, and with `Secure`, `HttpOnly` and `SameSite=Lax`.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name: name.into(),
            path: "/".into(),
            domain: None,
            secure: true,
            http_only: true,
            same_site: Some(SameSite::Lax),
        }
    }

    /// Sets the path.
    #[must_use]
    pub fn path(self, path: impl Into<Cow<'static, str>>) -> Self {
        Self { path: path.into(), ..self }
    }

    /// Sets the domain.
    #[must_use]
    pub fn domain(self, domain: impl Into<Cow<'static, str>>) -> Self {
        Self { domain: Some(domain.into()), ..self }
    }

    /// Sets whether browsers send the cookie over TLS alone.
    #[must_use]
    pub fn secure(self, secure: bool) -> Self {
        Self { secure, ..self }
    }

    /// Sets whether scripts are kept from the cookie.
    #[must_use]
    pub fn http_only(self, http_only: bool) -> Self {
        Self { http_only, ..self }
    }

    /// Sets the attribute `SameSite`; `None` leaves it out.
    #[must_use]
    pub fn same_site(self, same_site: impl Into<Option<SameSite>>) -> Self {
        Self { same_site: same_site.into(), ..self }
    }

    /// Returns the name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Writes the `Set-Cookie` that gives a value to the client.
    pub(crate) fn set(&self, value: &str, max_age: Option<Duration>) -> String {
        let mut header = format!("{}={value}", self.name);
        if let Some(age) = max_age {
            header.push_str(&format!("; Max-Age={}", age.as_secs()));
        }
        self.attributes(&mut header);
        header
    }

    /// Writes the `Set-Cookie` that removes the cookie of this name, which is ours or that of a part of it.
    pub(crate) fn remove(&self, name: &str) -> String {
        let mut header = format!("{name}=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT");
        self.attributes(&mut header);
        header
    }

    fn attributes(&self, header: &mut String) {
        header.push_str("; Path=");
        header.push_str(&self.path);
        if let Some(domain) = &self.domain {
            header.push_str("; Domain=");
            header.push_str(domain);
        }
        header.push_str(match self.same_site {
            Some(SameSite::Strict) => "; SameSite=Strict",
            Some(SameSite::Lax) => "; SameSite=Lax",
            Some(SameSite::None) => "; SameSite=None",
            None => "",
        });
        for (set, attribute) in [(self.secure, "; Secure"), (self.http_only, "; HttpOnly")] {
            if set {
                header.push_str(attribute);
            }
        }
    }
}

/// The attributes of a cookie of another system, for systems that keep them beside the session.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct CookieAttributes<'a> {
    pub path: &'a str,
    pub domain: Option<&'a str>,
    pub secure: bool,
    pub http_only: bool,
    pub same_site: Option<SameSite>,
}

impl<'a> From<&'a ForeignCookie> for CookieAttributes<'a> {
    fn from(cookie: &'a ForeignCookie) -> Self {
        let ForeignCookie { name: _, path, domain, secure, http_only, same_site } = cookie;
        let (secure, http_only, same_site) = (*secure, *http_only, *same_site);
        Self { path, domain: domain.as_deref(), secure, http_only, same_site }
    }
}

/// A session of another system.
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct ForeignSession {
    /// The values by their keys.
    pub values: Map<String, Value>,
    /// The time at which the other system wrote the session, if its format says so.
    pub written_at: Option<Timestamp>,
    /// The time at which the session ends, if its format says so.
    pub expires_at: Option<Timestamp>,
    system: &'static str,
    id: String,
    /// The data that a reader needs to write the session back.
    keepsake: Option<Value>,
}

impl ForeignSession {
    /// Makes a session. The id is what its cookie stands for, and for a session that lies in its cookie the value of that; it may be
    /// a secret, and is never shown.
    pub fn new(id: impl Into<String>, values: Map<String, Value>) -> Self {
        Self { id: id.into(), values, ..Self::default() }
    }

    /// Adds what the reader needs to write the session back, and is none of its values.
    #[must_use]
    pub fn with_keepsake(self, keepsake: Value) -> Self {
        Self { keepsake: Some(keepsake), ..self }
    }

    /// Returns the name of the system: `express-session`. It is empty while a reader makes the session.
    pub fn system(&self) -> &'static str {
        self.system
    }

    pub(crate) fn of_system(self, system: &'static str) -> Self {
        Self { system, ..self }
    }

    /// Returns the id; empty for a session that was not written yet.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns what the reader needs to write the session back.
    pub fn keepsake(&self) -> Option<&Value> {
        self.keepsake.as_ref()
    }

    /// Reads the id of a user, which may be a text or a whole number; `None` if there is no such key, or it is `null`.
    ///
    /// # Errors
    /// Fails when it is something else.
    pub fn user_id(&self, key: &str) -> Result<Option<String>, ForeignError> {
        match self.values.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(id)) if !id.is_empty() => Ok(Some(id.clone())),
            Some(Value::Number(id)) if !id.is_f64() => Ok(Some(id.to_string())),
            Some(_) => Err(ForeignError::unreadable(format!("the value `{key}` is not the id of a user"))),
        }
    }

    /// Reads a value; an `Option` is `None` if there is no such key.
    ///
    /// # Errors
    /// Fails when there is no such key, or another type of value. The message names the key, and quotes no value.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<T, ForeignError> {
        let value = self.values.get(key);
        T::deserialize(value.unwrap_or(&Value::Null)).map_err(|_| {
            let problem = if value.is_some() { "is not a" } else { "is not there, which should be a" };
            ForeignError::unreadable(format!("the value `{key}` {problem} `{}`", std::any::type_name::<T>()))
        })
    }
}

/// Shows the keys and the times.
impl fmt::Debug for ForeignSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForeignSession")
            .field("keys", &self.values.keys().collect::<Vec<_>>())
            .field("written_at", &self.written_at)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// The error of a session of another system.
#[derive(Debug)]
pub struct ForeignError {
    kind: ForeignErrorKind,
    reason: Cow<'static, str>,
    cause: Option<Cause>,
}

/// The kind of a [`ForeignError`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ForeignErrorKind {
    /// The cookie is not one of the system's, or was altered, or is too old: the visitor is anonymous.
    Invalid,
    /// The cookie is one of the system's, and there is no session of it any more: the visitor is anonymous.
    Ended,
    /// The session is there, and is not to be read: of another type, too large, or of a format that would be executed. The
    /// visitor is anonymous.
    Unreadable,
    /// The store of the other system does not answer: the request fails, and nobody is taken for anonymous.
    Unavailable,
    /// The format cannot be written, or has no way to say something in the session.
    Unsupported,
}

impl ForeignError {
    /// Makes the error of a cookie that is not to be trusted. It says no more, so that it helps nobody to forge one.
    pub fn invalid() -> Self {
        Self::of(ForeignErrorKind::Invalid, InvalidCookie.to_string())
    }

    /// Makes the error of a session that has ended.
    pub fn ended() -> Self {
        Self::of(ForeignErrorKind::Ended, "there is no such session any more")
    }

    /// Makes the error of a session that is not to be read, with the reason, which names a key and quotes no value.
    pub fn unreadable(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::of(ForeignErrorKind::Unreadable, reason)
    }

    /// Makes the error of a store that failed.
    pub fn unavailable(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let cause = Some(cause.into());
        Self { cause, ..Self::of(ForeignErrorKind::Unavailable, "the store of the other system failed") }
    }

    /// Makes the error of a format that cannot be written.
    pub fn unsupported() -> Self {
        Self::unwritable("the sessions of this system cannot be written")
    }

    /// Makes the error of a session that a format cannot hold, with the reason, which names a key and quotes no value.
    pub fn unwritable(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::of(ForeignErrorKind::Unsupported, reason)
    }

    fn of(kind: ForeignErrorKind, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, reason: reason.into(), cause: None }
    }

    /// Returns the kind.
    pub fn kind(&self) -> ForeignErrorKind {
        self.kind
    }
}

impl From<InvalidCookie> for ForeignError {
    fn from(InvalidCookie: InvalidCookie) -> Self {
        Self::invalid()
    }
}

impl From<FormatError> for ForeignError {
    fn from(error: FormatError) -> Self {
        Self::unwritable(error.to_string())
    }
}

impl fmt::Display for ForeignError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl Error for ForeignError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_ref().map(|cause| &**cause as _)
    }
}
