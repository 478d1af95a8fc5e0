//! The cookie of Flask's sessions.

mod tags;

use std::time::Duration;

use serde_json::Value;
use sessionkit_core::{AuthenticatedFormat, CookieContent, CookieFormat, FormatError, InvalidCookie, Timestamp};

use super::limits::{no_deadline, written};
use super::{Secrets, TimestampSigner, ascii, json, payload};

/// Reads and writes the sessions of Flask's `SecureCookieSessionInterface`.
///
/// A cookie is the base64 of the JSON, compressed if that makes it shorter, the time, and an HMAC-SHA1: everybody can read it, and nobody
/// can change it. It is not bound to the name of the cookie.
///
/// Flask keeps some types of Python in JSON, with tags. They are read as what comes nearest to them, and written as that:
///
/// | in Flask | here, and what Flask reads of it |
/// |---|---|
/// | `tuple` | an array, `list` |
/// | `bytes` | their base64, `str` |
/// | `Markup` | a text, `str`, which templates escape |
/// | `UUID` | a text with hyphens, `str` |
/// | `datetime` | a text after RFC 3339 (`2023-11-14T22:13:20Z`), `str` |
///
/// So a Flask application whose sessions are written from here, too, must accept the types of the last column. Those of
/// Flask itself do: `flash()` keeps messages as tuples, and reads lists. Tags of an application's own are left as they are, as an
/// object of one key. Integers of more than 64 bits, `NaN` and infinities have no place in JSON: a cookie with such a value is not valid.
#[derive(Clone, Debug)]
pub struct Flask {
    signer: TimestampSigner,
    max_age: Duration,
}

impl Flask {
    /// Makes the format of these secrets: Flask's `SECRET_KEY`, and then its `SECRET_KEY_FALLBACKS`. A cookie is good for 31 days,
    /// as with Flask's `PERMANENT_SESSION_LIFETIME`.
    pub fn new(secrets: Secrets) -> Self {
        Self {
            signer: TimestampSigner::with_hmac_keys(secrets, "cookie-session"),
            max_age: Duration::from_secs(31 * 86_400),
        }
    }

    /// Sets how long after it was written a cookie is good.
    #[must_use]
    pub fn max_age(self, max_age: Duration) -> Self {
        Self { max_age, ..self }
    }
}

impl CookieFormat for Flask {
    fn read(&self, cookie: &str, now: Timestamp) -> Result<CookieContent, InvalidCookie> {
        let (value, written_at) = self.signer.unsign(cookie, self.max_age, now)?;
        let tagged = json::read(&payload::decode(value)?)?;
        let Value::Object(values) = tags::without(Value::Object(tagged))? else { return Err(InvalidCookie) };
        let mut content = CookieContent::new(values);
        content.written_at = Some(written_at);
        Ok(content)
    }

    fn write(&self, content: &CookieContent, now: Timestamp) -> Result<String, FormatError> {
        no_deadline(content)?;
        // Before the tags, whose keys nobody knows, for a better message.
        json::check_depth(&content.values)?;
        let text = ascii::write_compact(&tags::with(&content.values))?;
        written(self.signer.sign(&payload::encode(&text)?, now))
    }
}

impl AuthenticatedFormat for Flask {}
