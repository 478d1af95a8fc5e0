//! The cookie of Starlette's `SessionMiddleware`.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sessionkit_core::{AuthenticatedFormat, CookieContent, CookieFormat, FormatError, InvalidCookie, Timestamp};

use super::limits::{no_deadline, written};
use super::{Secrets, TimestampSigner, ascii, json};

const DAY: Duration = Duration::from_secs(86_400);

/// Reads and writes the sessions of `SessionMiddleware` of Starlette, which is FastAPI's too, of Lilya and of Ravyn.
///
/// A cookie is the base64 of the JSON, the time, and an HMAC-SHA1: everybody can read it, and nobody can change it. The middleware
/// does not bind a cookie to its name, and knows one secret at a time.
#[derive(Clone, Debug)]
pub struct Starlette {
    signer: TimestampSigner,
    max_age: Duration,
}

impl Starlette {
    /// Makes the format of these secrets. A cookie is good for 14 days, as with Starlette and Lilya.
    pub fn new(secrets: Secrets) -> Self {
        Self { signer: TimestampSigner::new(secrets, "itsdangerous.Signer"), max_age: 14 * DAY }
    }

    /// Makes the format as Ravyn's `SessionConfig` does, with which a cookie is good for 180 days.
    pub fn ravyn(secrets: Secrets) -> Self {
        Self::new(secrets).max_age(180 * DAY)
    }

    /// Sets how long after it was written a cookie is good. `Duration::MAX` is Starlette's `max_age=None`.
    #[must_use]
    pub fn max_age(self, max_age: Duration) -> Self {
        Self { max_age, ..self }
    }
}

impl CookieFormat for Starlette {
    fn read(&self, cookie: &str, now: Timestamp) -> Result<CookieContent, InvalidCookie> {
        let (value, written_at) = self.signer.unsign(cookie, self.max_age, now)?;
        let text = STANDARD.decode(value).map_err(|_| InvalidCookie)?;
        let mut content = CookieContent::new(json::read(&text)?);
        content.written_at = Some(written_at);
        Ok(content)
    }

    fn write(&self, content: &CookieContent, now: Timestamp) -> Result<String, FormatError> {
        no_deadline(content)?;
        written(self.signer.sign(&STANDARD.encode(ascii::write(&content.values)?), now))
    }
}

impl AuthenticatedFormat for Starlette {}
