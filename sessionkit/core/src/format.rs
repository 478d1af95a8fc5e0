//! The contract of a format for sessions that lie in a cookie, which other systems write too.

use std::fmt;

use serde_json::{Map, Value};

use crate::time::Timestamp;

/// Reads and writes the values of a session in the cookie of another system.
///
/// The formats of known systems are in the module `formats` of the crate `sessionkit`. One that proves who wrote the cookie is an
/// [`AuthenticatedFormat`] too.
pub trait CookieFormat: Send + Sync + 'static {
    /// Reads the value of a cookie, without the double quotes that may stand around it.
    ///
    /// # Errors
    /// Fails alike for whatever is wrong with the cookie: altered, of another key, expired, from the future, too large, no
    /// such format.
    fn read(&self, cookie: &str, now: Timestamp) -> Result<CookieContent, InvalidCookie>;

    /// Writes the value of a cookie, which holds nothing that a cookie may not.
    ///
    /// # Errors
    /// Fails when the format has no way to say something in the content. The message names the key, and quotes no value.
    fn write(&self, content: &CookieContent, now: Timestamp) -> Result<String, FormatError>;

    /// Returns whether a cookie says when it expires. Where it does not, a content with an expiry cannot be written.
    fn holds_expiry(&self) -> bool {
        false
    }
}

/// Marks a format with which nobody can write a cookie, or change one, without a key.
///
/// Sessions are kept in such formats alone, and read from such alone.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not prove who wrote a cookie",
    note = "anybody can write cookies of a format without a key, and log in as any user with them"
)]
pub trait AuthenticatedFormat: CookieFormat {}

/// The content of a cookie: the values of a session, and the times of the cookie as far as its format has them.
#[derive(Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct CookieContent {
    /// The values by their keys.
    pub values: Map<String, Value>,
    /// The time at which the cookie was written. A format writes the time that it is given instead.
    pub written_at: Option<Timestamp>,
    /// The time at which the cookie expires, for formats that hold one.
    pub expires_at: Option<Timestamp>,
}

impl CookieContent {
    /// Makes a content of these values, without times.
    pub fn new(values: Map<String, Value>) -> Self {
        Self { values, written_at: None, expires_at: None }
    }
}

/// Shows the keys and the times.
impl fmt::Debug for CookieContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CookieContent")
            .field("keys", &self.values.keys().collect::<Vec<_>>())
            .field("written_at", &self.written_at)
            .field("expires_at", &self.expires_at)
            .finish()
    }
}

/// The error of a cookie that is not to be trusted. It says no more, so that it helps nobody to forge one.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct InvalidCookie;

impl fmt::Display for InvalidCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the cookie is not valid")
    }
}

impl std::error::Error for InvalidCookie {}

/// The error of a content that a format cannot write, with the reason.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FormatError(String);

impl FormatError {
    /// Makes an error of the reason, which names a key and quotes no value.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for FormatError {}
