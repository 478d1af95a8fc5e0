//! Fernet tokens, and the systems that keep sessions in them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use sessionkit_core::facade::{check_secret, key_error};
use sessionkit_core::{
    AuthenticatedFormat, CookieContent, CookieFormat, FormatError, InvalidCookie, KeyError, Timestamp,
};
use zeroize::Zeroizing;

pub use fastapi_session::FastapiSessionId;

use self::key::{Key, Token};
use super::json;
use super::limits::{check_age, check_length, no_deadline, written};

mod fastapi_session;
mod key;
#[cfg(test)]
mod tests;

/// The time by which the clock of the server that wrote a token may be ahead, by the specification.
const AHEAD: Duration = Duration::from_secs(60);

/// Reads and writes [Fernet tokens](https://github.com/fernet/spec): encrypted, and signed.
///
/// As a format, it keeps the values of a session as JSON. [`encrypt`](Self::encrypt) and [`decrypt`](Self::decrypt) take any
/// bytes.
///
/// ```
/// use std::time::Duration;
/// use sessionkit::formats::{CookieContent, CookieFormat as _, Fernet};
/// # use sessionkit::Timestamp;
///
/// # let now = Timestamp::from_unix_seconds(1_700_000_000);
/// // As `Fernet.generate_key()` makes it in Python, and usually from the environment.
/// # let key = "wY2m0l0rA0Yb3nTQ6xq1c9oJpV5sKfZ8uHd4eGiBtNs=";
/// let format = Fernet::new([key])?.max_age(Duration::from_secs(86_400));
///
/// let mut content = CookieContent::default();
/// content.values.insert("user_id".to_owned(), 123.into());
/// let cookie = format.write(&content, now)?;
/// assert_eq!(format.read(&cookie, now)?.values, content.values);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A token says when it was written, and not when it expires: it is good for [`max_age`](Self::max_age) after that. The clock of
/// the server that wrote it may be ahead by 60 seconds. Keys are wiped from memory when they are dropped, and never printed.
#[derive(Clone)]
pub struct Fernet {
    keys: Arc<[Key]>,
    max_age: Duration,
}

impl Fernet {
    /// Takes keys of 32 bytes in base64url, as the specification has them. The first one writes and all of them read, as with
    /// `MultiFernet`. Tokens are good for 14 days.
    ///
    /// # Errors
    /// Fails when there is no key, or when one is no such key, does not look random, or is published.
    pub fn new<S: AsRef<str>>(keys: impl IntoIterator<Item = S>) -> Result<Self, KeyError> {
        let keys: Vec<_> = keys.into_iter().map(|key| read_key(key.as_ref())).collect::<Result<_, _>>()?;
        if keys.is_empty() { Err(no_key("is missing")) } else { Ok(Self::of_keys(keys)) }
    }

    /// Takes at least one key, as bytes.
    pub(super) fn of_keys(keys: impl IntoIterator<Item = Zeroizing<[u8; 32]>>) -> Self {
        let keys = keys.into_iter().map(|key| Key::new(&key)).collect();
        Self { keys, max_age: Duration::from_secs(14 * 86_400) }
    }

    /// Sets how long after it was written a token is good.
    #[must_use]
    pub fn max_age(self, max_age: Duration) -> Self {
        Self { max_age, ..self }
    }

    /// Encrypts with the first key, and signs.
    pub fn encrypt(&self, bytes: &[u8], now: Timestamp) -> String {
        let mut iv = [0; 16];
        getrandom::fill(&mut iv).expect("the operating system gives random bytes");
        // There is a first key: a list without one is refused.
        self.keys[0].encrypt(bytes, now, iv)
    }

    /// Returns what a token of one of the keys holds, and the time at which it was written.
    ///
    /// # Errors
    /// Fails alike for whatever is wrong: no token, altered, of another key, too old, from the future, longer than 16 KiB.
    pub fn decrypt(&self, token: &str, now: Timestamp) -> Result<(Vec<u8>, Timestamp), InvalidCookie> {
        check_length(token)?;
        let bytes = URL_SAFE.decode(token).map_err(|_| InvalidCookie)?;
        let token = Token::parse(&bytes).ok_or(InvalidCookie)?;
        let key = self.keys.iter().find(|key| key.signed(&token)).ok_or(InvalidCookie)?;
        check_age(token.written_at, now, self.max_age, AHEAD)?;
        Ok((key.decrypt(&token)?, token.written_at))
    }
}

impl CookieFormat for Fernet {
    fn read(&self, cookie: &str, now: Timestamp) -> Result<CookieContent, InvalidCookie> {
        let (text, written_at) = self.decrypt(cookie, now)?;
        let mut content = CookieContent::new(json::read(&text)?);
        content.written_at = Some(written_at);
        Ok(content)
    }

    fn write(&self, content: &CookieContent, now: Timestamp) -> Result<String, FormatError> {
        no_deadline(content)?;
        written(self.encrypt(json::write(&content.values)?.as_bytes(), now))
    }
}

impl AuthenticatedFormat for Fernet {}

/// Shows the number of keys.
impl fmt::Debug for Fernet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { keys, max_age } = self;
        f.debug_struct("Fernet").field("keys", &keys.len()).field("max_age", max_age).finish_non_exhaustive()
    }
}

fn read_key(text: &str) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let bytes = URL_SAFE.decode(text).map(Zeroizing::new);
    let bytes = bytes.ok().and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok());
    let bytes = bytes.map(Zeroizing::new).ok_or_else(|| no_key("is not 32 bytes in base64url, with padding"))?;
    check_secret(text).map_err(|_| no_key("is published, or not random"))?;
    Ok(bytes)
}

fn no_key(problem: &str) -> KeyError {
    key_error(format!("the Fernet key {problem}: make one with `Fernet.generate_key()` of the package cryptography"))
}
