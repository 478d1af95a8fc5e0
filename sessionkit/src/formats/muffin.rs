//! The three cookies of Muffin-Session.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use sessionkit_core::{CookieContent, CookieFormat, FormatError, InvalidCookie, Timestamp};

use super::json;
use super::limits::{check_length, no_deadline, written};

/// Makes the formats of Muffin-Session, by its setting `session_type`.
#[derive(Debug)]
#[non_exhaustive]
pub struct Muffin;

impl Muffin {
    /// Makes the format of `session_type = "base64"`, which **anybody can write**: who puts the id of another user into a cookie is
    /// that user. It is there to take over data that nobody gains from forging. It is no [`AuthenticatedFormat`], so sessions cannot
    /// be kept in it.
    ///
    /// ```compile_fail
    /// use sessionkit::formats::{AuthenticatedFormat, Muffin};
    ///
    /// fn keep_sessions_in(format: impl AuthenticatedFormat) {}
    /// keep_sessions_in(Muffin::dangerous_unauthenticated_base64());
    /// ```
    ///
    /// [`AuthenticatedFormat`]: super::AuthenticatedFormat
    pub fn dangerous_unauthenticated_base64() -> UnauthenticatedBase64 {
        UnauthenticatedBase64(())
    }
}

/// Reads and writes the cookies of Muffin-Session with `session_type = "base64"`, which prove nothing. See
/// [`Muffin::dangerous_unauthenticated_base64`].
#[derive(Clone, Debug)]
pub struct UnauthenticatedBase64(());

impl CookieFormat for UnauthenticatedBase64 {
    fn read(&self, cookie: &str, _now: Timestamp) -> Result<CookieContent, InvalidCookie> {
        check_length(cookie)?;
        let text = URL_SAFE.decode(cookie).map_err(|_| InvalidCookie)?;
        Ok(CookieContent::new(json::read(&text)?))
    }

    fn write(&self, content: &CookieContent, _now: Timestamp) -> Result<String, FormatError> {
        no_deadline(content)?;
        written(URL_SAFE.encode(json::write(&content.values)?))
    }
}
