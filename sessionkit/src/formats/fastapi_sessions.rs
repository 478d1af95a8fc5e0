//! The cookie of fastapi-sessions, which holds the id of a session.

use std::time::Duration;

use sessionkit_core::{FormatError, InvalidCookie, Timestamp};

use super::{Secrets, TimestampSigner, payload};

/// Reads and writes the ids in the cookies of the package **fastapi-sessions**. For those of **fastapi_session**, a package without
/// the `s`, take [`FastapiSessionId`](crate::formats::FastapiSessionId).
///
/// The cookie, of its `SessionCookie`, is signed and not encrypted; that of the other package is a Fernet token. The sessions lie in a
/// backend of the application.
///
/// ```
/// use sessionkit::formats::{FastapiSessionsId, Secrets};
/// # use sessionkit::Timestamp;
///
/// # let secret = "vB7m3nRk2QwJx9Tz4LpHs8YdCf6GaUe1oVi5NqKtWb0";
/// # let now = Timestamp::from_unix_seconds(1_700_000_000);
/// let format = FastapiSessionsId::new(Secrets::new([secret])?, "cookie");
/// let cookie = format.write_id("3f2b8c1e111142228333444455556666", now)?;
/// assert_eq!(format.read_id(&cookie, now)?, "3f2b8c1e111142228333444455556666");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct FastapiSessionsId {
    signer: TimestampSigner,
    max_age: Duration,
}

impl FastapiSessionsId {
    /// Makes the format for a cookie of this name. It is good for 14 days, as with `CookieParameters`.
    pub fn new(secrets: Secrets, cookie_name: &str) -> Self {
        Self { signer: TimestampSigner::new(secrets, cookie_name), max_age: Duration::from_secs(14 * 86_400) }
    }

    /// Sets how long after it was written a cookie is good.
    #[must_use]
    pub fn max_age(self, max_age: Duration) -> Self {
        Self { max_age, ..self }
    }

    /// Reads the id of a session: a UUID, as 32 hexadecimal digits in small letters.
    ///
    /// # Errors
    /// Fails alike for whatever is wrong with the cookie.
    pub fn read_id(&self, cookie: &str, now: Timestamp) -> Result<String, InvalidCookie> {
        let (value, _) = self.signer.unsign(cookie, self.max_age, now)?;
        let text = String::from_utf8(payload::decode(value)?).map_err(|_| InvalidCookie)?;
        let id = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).ok_or(InvalidCookie)?;
        if is_id(id) { Ok(id.to_owned()) } else { Err(InvalidCookie) }
    }

    /// Writes the id of a session.
    ///
    /// # Errors
    /// Fails if the id is not 32 hexadecimal digits in small letters.
    pub fn write_id(&self, id: &str, now: Timestamp) -> Result<String, FormatError> {
        if !is_id(id) {
            return Err(FormatError::new("the id is not 32 hexadecimal digits in small letters"));
        }
        Ok(self.signer.sign(&payload::encode(format!("\"{id}\"").as_bytes())?, now))
    }
}

fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
