//! The sessions of Django: signed cookies, and the column `session_data`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Map, Value};
use sessionkit_core::{AuthenticatedFormat, CookieContent, CookieFormat, FormatError, InvalidCookie, Timestamp};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::limits::{check_age, check_length, no_deadline, written};
use super::{Secrets, ascii, json, payload};

/// The time by which the clock of the server that wrote a cookie may be ahead. Django does not check it.
const AHEAD: Duration = Duration::from_secs(10);

/// Reads and writes the cookies of Django's backend `django.contrib.sessions.backends.signed_cookies`.
///
/// A cookie is the base64 of the JSON, compressed if that makes it shorter, the time, and an HMAC-SHA256: everybody can read it, and nobody
/// can change it. It is not bound to the name of the cookie. Its time may be up to 10 seconds ahead of this server's clock;
/// Django takes any. Sessions that Django serialised with `PickleSerializer` cannot be read, and need not be trusted.
///
/// A user who is logged in is `_auth_user_id`, with `_auth_user_hash` beside it, which Django compares with the password that
/// the user has now. Do so too, or a session outlives a change of the password.
#[derive(Clone, Debug)]
pub struct Django {
    signer: Signer,
    max_age: Duration,
}

impl Django {
    /// Makes the format of these secrets: Django's `SECRET_KEY`, and then its `SECRET_KEY_FALLBACKS`. A cookie is good for 14 days, as
    /// with Django's `SESSION_COOKIE_AGE`.
    pub fn new(secrets: Secrets) -> Self {
        Self {
            signer: Signer::new(&secrets, "django.contrib.sessions.backends.signed_cookies"),
            max_age: Duration::from_secs(14 * 86_400),
        }
    }

    /// Sets how long after it was written a cookie is good.
    #[must_use]
    pub fn max_age(self, max_age: Duration) -> Self {
        Self { max_age, ..self }
    }
}

impl CookieFormat for Django {
    fn read(&self, cookie: &str, now: Timestamp) -> Result<CookieContent, InvalidCookie> {
        let (values, written_at) = self.signer.read(cookie)?;
        check_age(written_at, now, self.max_age, AHEAD)?;
        let mut content = CookieContent::new(values);
        content.written_at = Some(written_at);
        Ok(content)
    }

    fn write(&self, content: &CookieContent, now: Timestamp) -> Result<String, FormatError> {
        no_deadline(content)?;
        self.signer.write(&content.values, now)
    }
}

impl AuthenticatedFormat for Django {}

/// Reads and writes the column `session_data` of Django's sessions in a database.
///
/// The session ends at the `expire_date` of its row, which whoever reads the row has to compare; the time in the value does not
/// matter. As with [`Django`], compare `_auth_user_hash` too.
///
/// ```
/// use sessionkit::formats::{DjangoSessionData, Secrets};
/// # use sessionkit::Timestamp;
///
/// # let secret = "vB7m3nRk2QwJx9Tz4LpHs8YdCf6GaUe1oVi5NqKtWb0";
/// # let now = Timestamp::from_unix_seconds(1_700_000_000);
/// # let values = serde_json::Map::from_iter([("_auth_user_id".to_owned(), "7".into())]);
/// let format = DjangoSessionData::new(Secrets::new([secret])?);
/// let session_data = format.write(&values, now)?;
/// assert_eq!(format.read(&session_data)?["_auth_user_id"], "7");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct DjangoSessionData(Signer);

impl DjangoSessionData {
    /// Makes the format of these secrets: Django's `SECRET_KEY`, and then its `SECRET_KEY_FALLBACKS`.
    pub fn new(secrets: Secrets) -> Self {
        Self(Signer::new(&secrets, "django.contrib.sessions.SessionStore"))
    }

    /// Reads the values of a session.
    ///
    /// # Errors
    /// Fails alike for whatever is wrong with the text.
    pub fn read(&self, session_data: &str) -> Result<Map<String, Value>, InvalidCookie> {
        self.0.read(session_data).map(|(values, _)| values)
    }

    /// Writes the values of a session.
    ///
    /// # Errors
    /// Fails when the values are too large, or nested too deep.
    pub fn write(&self, values: &Map<String, Value>, now: Timestamp) -> Result<String, FormatError> {
        self.0.write(values, now)
    }
}

/// The `TimestampSigner` of Django.
#[derive(Clone)]
struct Signer(Arc<[Hmac<Sha256>]>);

impl Signer {
    fn new(secrets: &Secrets, salt: &str) -> Self {
        let mac = |secret: &str| {
            let key = Sha256::new().chain_update(salt).chain_update("signer").chain_update(secret).finalize();
            let key = Zeroizing::new(<[u8; 32]>::from(key));
            Hmac::new_from_slice(&*key).expect("a key of an HMAC may have any length")
        };
        Self(secrets.iter().map(mac).collect())
    }

    fn read(&self, signed: &str) -> Result<(Map<String, Value>, Timestamp), InvalidCookie> {
        check_length(signed)?;
        let (content, signature) = signed.rsplit_once(':').ok_or(InvalidCookie)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| InvalidCookie)?;
        let verifies = |mac: &Hmac<Sha256>| mac.clone().chain_update(content).verify_slice(&signature).is_ok();
        if !self.0.iter().any(verifies) {
            return Err(InvalidCookie);
        }
        let (value, time) = content.rsplit_once(':').ok_or(InvalidCookie)?;
        Ok((json::read(&payload::decode(value)?)?, read_base62(time).ok_or(InvalidCookie)?))
    }

    fn write(&self, values: &Map<String, Value>, now: Timestamp) -> Result<String, FormatError> {
        let signed = format!("{}:{}", payload::encode(&ascii::write_compact(values)?)?, base62(now));
        // There is a first secret: a list without one is refused.
        let signature = self.0[0].clone().chain_update(&signed).finalize().into_bytes();
        written(format!("{signed}:{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// Shows the number of secrets.
impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("secrets", &self.0.len()).finish_non_exhaustive()
    }
}

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

fn base62(time: Timestamp) -> String {
    let (mut rest, mut digits) = (time.unix_seconds(), Vec::new());
    while rest > 0 || digits.is_empty() {
        digits.push(char::from(DIGITS[(rest % 62) as usize]));
        rest /= 62;
    }
    digits.iter().rev().collect()
}

fn read_base62(text: &str) -> Option<Timestamp> {
    let is_canonical = text == "0" || !text.is_empty() && !text.starts_with('0');
    let seconds = text.bytes().try_fold(0u64, |seconds, digit| {
        let digit = DIGITS.iter().position(|known| *known == digit)? as u64;
        seconds.checked_mul(62)?.checked_add(digit)
    })?;
    is_canonical.then(|| Timestamp::from_unix_seconds(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_one_spelling() {
        for (seconds, text) in [(0, "0"), (61, "z"), (62, "10"), (1_700_000_000, "1r31eq"), (u64::MAX, "LygHa16AHYF")] {
            assert_eq!(base62(Timestamp::from_unix_seconds(seconds)), text);
            assert_eq!(read_base62(text).map(Timestamp::unix_seconds), Some(seconds));
        }
        for text in ["", "00", "01r31eq", "-1", "1r31eq ", "LygHa16AHYG", "zzzzzzzzzzzzzzzz", "é"] {
            assert_eq!(read_base62(text), None, "{text}");
        }
    }

    #[test]
    fn keys_are_not_shown() {
        let format = Django::new(Secrets::unchecked(["a secret"]));
        assert!(format!("{format:?}").contains("Signer { secrets: 1, .. }"));
    }
}
