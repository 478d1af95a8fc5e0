//! The cookie of fastapi_session, which holds the id of a session.

use std::fmt::Write as _;
use std::time::Duration;

use sessionkit_core::{FormatError, InvalidCookie, Timestamp};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::super::Secrets;
use super::super::limits::written;
use super::Fernet;

/// How often the secret is hashed. Few times: what protects the key is that the secret is random.
const ROUNDS: u32 = 100;

/// Reads and writes the ids in the cookies of the package **fastapi_session**. For those of **fastapi-sessions**, a package with an
/// `s` at its end, take [`FastapiSessionsId`](crate::formats::FastapiSessionsId).
///
/// The cookie is a Fernet token; that of the other package is signed and not encrypted. The sessions lie in a backend of the
/// application.
///
/// ```
/// use sessionkit::formats::{FastapiSessionId, Secrets};
/// # use sessionkit::Timestamp;
///
/// # let secret = "vB7m3nRk2QwJx9Tz4LpHs8YdCf6GaUe1oVi5NqKtWb0";
/// # let now = Timestamp::from_unix_seconds(1_700_000_000);
/// let format = FastapiSessionId::new(Secrets::new([secret])?);
/// let cookie = format.write_id("a-session", now)?;
/// assert_eq!(format.read_id(&cookie, now)?, "a-session");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct FastapiSessionId(pub(super) Fernet);

impl FastapiSessionId {
    /// Makes the format. A cookie is good for 14 days.
    pub fn new(secrets: Secrets) -> Self {
        Self(Fernet::of_keys(secrets.iter().map(derive)))
    }

    /// Sets how long after it was written a cookie is good.
    #[must_use]
    pub fn max_age(self, max_age: Duration) -> Self {
        Self(self.0.max_age(max_age))
    }

    /// Reads the id of a session.
    ///
    /// # Errors
    /// Fails alike for whatever is wrong with the cookie.
    pub fn read_id(&self, cookie: &str, now: Timestamp) -> Result<String, InvalidCookie> {
        let (id, _) = self.0.decrypt(cookie, now)?;
        let id = String::from_utf8(id).map_err(|_| InvalidCookie)?;
        if id.is_empty() { Err(InvalidCookie) } else { Ok(id) }
    }

    /// Writes the id of a session.
    ///
    /// # Errors
    /// Fails when the id is empty, or too long for a cookie that can be read.
    pub fn write_id(&self, id: &str, now: Timestamp) -> Result<String, FormatError> {
        if id.is_empty() {
            return Err(FormatError::new("the id is empty"));
        }
        written(self.0.encrypt(id.as_bytes(), now))
    }
}

/// Derives a key with PBKDF2. The salt is the hash of the secret, as hexadecimal digits.
fn derive(secret: &str) -> Zeroizing<[u8; 32]> {
    let mut salt = Zeroizing::new(String::with_capacity(64));
    for byte in Sha256::digest(secret) {
        write!(salt, "{byte:02x}").expect("a string takes everything");
    }
    let mut key = Zeroizing::new([0; 32]);
    pbkdf2::pbkdf2_hmac::<Sha256>(secret.as_bytes(), salt.as_bytes(), ROUNDS, &mut *key);
    key
}
