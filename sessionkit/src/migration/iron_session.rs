//! Sessions of iron-session, which lie sealed in their cookies.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sessionkit_core::facade::{check_secret_in_use, key_error, secret_error};
use sessionkit_core::{
    ForeignCookie, ForeignError, ForeignSession, ForeignSessions, InvalidCookie, KeyError, Timestamp,
};
use sha1::Sha1;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{aes_cbc, javascript};
use crate::formats::limits::check_length;

/// The first part of a seal: its format.
const PREFIX: &str = "Fe26.2";

/// The end of a cookie: the version of iron-session's use of seals, which no signature covers.
const VERSION: &str = "~2";

/// The time for which a seal is read after its end, since clocks differ.
const SKEW: Duration = Duration::from_secs(60);

/// The most bytes of a cookie, name and value, that browsers keep.
const LARGEST_COOKIE: usize = 4096;

/// The fewest characters of a password, as iron-session counts them.
const LEAST: usize = 32;

/// Reads and writes the sessions of iron-session, version 8 or 9, whose cookies hold all of their values.
///
/// The settings are those of the application, under these names:
///
/// | there | here |
/// |---|---|
/// | `cookieName`, `cookieOptions` | the name for [`new`](Self::new), or [`cookie`](Self::cookie) |
/// | `password`, a text | `[(1, password)]` for [`new`](Self::new) |
/// | `password`, an object | its numbers and passwords for [`new`](Self::new) |
/// | `ttl` | [`ttl`](Self::ttl) |
///
/// ```
/// use sessionkit::migration::IronSessions;
///
/// # fn sessions(password: &str) -> Result<IronSessions, sessionkit::KeyError> {
/// let sessions = IronSessions::new("shop-session", [(1, password)])?;
/// # Ok(sessions)
/// # }
/// ```
///
/// A session can be read until its cookie is too old: nothing can end it before. One that iron-session has cut into several cookies
/// (its option `chunk`) is read, and written into one.
#[derive(Clone)]
pub struct IronSessions {
    cookie: ForeignCookie,
    /// By their numbers, of which the highest one seals.
    passwords: Arc<[(u32, Zeroizing<String>)]>,
    ttl: Duration,
}

impl IronSessions {
    /// Takes the name of the cookie, and the passwords with their numbers. The one with the highest number seals. A session lives
    /// for 14 days.
    ///
    /// # Errors
    /// Fails when there is no password, two have the same number, or one is published or has fewer than 32 characters.
    pub fn new<S: AsRef<str>>(
        cookie: impl Into<Cow<'static, str>>,
        passwords: impl IntoIterator<Item = (u32, S)>,
    ) -> Result<Self, KeyError> {
        let checked = passwords.into_iter().map(|(id, password)| {
            let password = password.as_ref();
            check_secret_in_use(password)?;
            // It counts in UTF-16.
            if password.encode_utf16().count() < LEAST {
                return Err(secret_error("is too short for iron-session, which asks for 32 characters"));
            }
            Ok((id, Zeroizing::new(password.to_owned())))
        });
        let mut passwords = checked.collect::<Result<Vec<_>, _>>()?;
        passwords.sort_by_key(|(id, _)| *id);
        if passwords.is_empty() {
            return Err(secret_error("is missing"));
        }
        if passwords.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Err(key_error("two passwords have the same number: give each its own, as iron-session does"));
        }
        let (cookie, ttl) = (ForeignCookie::new(cookie), Duration::from_secs(14 * 86_400));
        Ok(Self { cookie, passwords: passwords.into(), ttl })
    }

    /// Sets the cookie, if its attributes are others than those of iron-session.
    #[must_use]
    pub fn cookie(self, cookie: ForeignCookie) -> Self {
        Self { cookie, ..self }
    }

    /// Sets how long a session lives that is written. With zero it does not end, as there.
    #[must_use]
    pub fn ttl(self, ttl: Duration) -> Self {
        Self { ttl, ..self }
    }

    /// Opens a seal: returns its text, and the time at which it is too old, if there is one.
    fn unseal(&self, cookie: &str, now: Timestamp) -> Result<(Vec<u8>, Option<Timestamp>), InvalidCookie> {
        check_length(cookie)?;
        let seal = cookie.strip_suffix(VERSION).ok_or(InvalidCookie)?;
        let (rest, tag) = seal.rsplit_once('*').ok_or(InvalidCookie)?;
        let (signed, tag_salt) = rest.rsplit_once('*').ok_or(InvalidCookie)?;
        let parts: Vec<&str> = signed.split('*').collect();
        let [PREFIX, id, salt, iv, text, expiration] = parts[..] else { return Err(InvalidCookie) };
        let password = self.passwords.iter().find(|(known, _)| known.to_string() == id);
        let (_, password) = password.ok_or(InvalidCookie)?;
        let tag = URL_SAFE_NO_PAD.decode(tag).map_err(|_| InvalidCookie)?;
        mac(password, tag_salt).chain_update(signed).verify_slice(&tag).map_err(|_| InvalidCookie)?;

        let expires_at = expires_at(expiration)?;
        if expires_at.is_some_and(|expires_at| expires_at <= now) {
            return Err(InvalidCookie);
        }
        let decode = |part| URL_SAFE_NO_PAD.decode(part).map_err(|_| InvalidCookie);
        let iv = <[u8; aes_cbc::IV]>::try_from(decode(iv)?).map_err(|_| InvalidCookie)?;
        Ok((aes_cbc::decrypt(&derive(password, salt), &iv, decode(text)?)?, expires_at))
    }

    /// Seals a text that is good until a time in milliseconds, if there is one.
    fn seal(&self, text: &str, expiration: Option<u64>) -> String {
        // There is one: a list without any is refused.
        let (id, password) = &self.passwords[self.passwords.len() - 1];
        let (salt, iv) = (hex(random::<32>()), random::<{ aes_cbc::IV }>());
        let encrypted = aes_cbc::encrypt(&derive(password, &salt), &iv, text.as_bytes());
        let (iv, encrypted) = (URL_SAFE_NO_PAD.encode(iv), URL_SAFE_NO_PAD.encode(encrypted));
        let expiration = expiration.map_or_else(String::new, |expiration| expiration.to_string());
        let signed = format!("{PREFIX}*{id}*{salt}*{iv}*{encrypted}*{expiration}");
        let salt = hex(random::<32>());
        let tag = mac(password, &salt).chain_update(&signed).finalize().into_bytes();
        format!("{signed}*{salt}*{}{VERSION}", URL_SAFE_NO_PAD.encode(tag))
    }
}

impl ForeignSessions for IronSessions {
    fn system(&self) -> &'static str {
        "iron-session"
    }

    fn cookie(&self) -> &ForeignCookie {
        &self.cookie
    }

    fn chunk_separator(&self) -> Option<&'static str> {
        Some(".")
    }

    async fn open(&self, cookie: &str, now: Timestamp) -> Result<ForeignSession, ForeignError> {
        let (text, expires_at) = self.unseal(cookie, now)?;
        let mut session = ForeignSession::new(cookie, javascript::read(&text)?);
        session.expires_at = expires_at;
        Ok(session)
    }

    async fn end(&self, _: &ForeignSession) -> Result<(), ForeignError> {
        Ok(())
    }

    fn writes(&self) -> bool {
        true
    }

    async fn write(&self, session: &ForeignSession, now: Timestamp) -> Result<String, ForeignError> {
        if session.expires_at.is_some_and(|expires_at| expires_at <= now) {
            return Err(ForeignError::ended());
        }
        // It is read for a while after its time.
        let ends = session.expires_at.map(|expires_at| expires_at.saturating_sub(SKEW));
        let latest = (!self.ttl.is_zero()).then(|| now.saturating_add(self.ttl));
        let expiration = ends.into_iter().chain(latest).min().map(|time| time.unix_seconds().saturating_mul(1000));
        let cookie = self.seal(&javascript::write(&session.values)?, expiration);
        let length = self.cookie.name().len() + cookie.len();
        if length > LARGEST_COOKIE {
            let reason = format!("the cookie would have {length} bytes, and browsers keep {LARGEST_COOKIE}");
            return Err(ForeignError::unwritable(reason));
        }
        Ok(cookie)
    }
}

/// Shows the settings, and the numbers of the passwords.
impl fmt::Debug for IronSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cookie, passwords, ttl } = self;
        let ids: Vec<_> = passwords.iter().map(|(id, _)| id).collect();
        f.debug_struct("IronSessions")
            .field("cookie", cookie)
            .field("passwords", &ids)
            .field("ttl", ttl)
            .finish_non_exhaustive()
    }
}

/// Returns when a seal is too old that says this of it: nothing, or milliseconds since the Unix epoch.
fn expires_at(expiration: &str) -> Result<Option<Timestamp>, InvalidCookie> {
    if expiration.is_empty() {
        return Ok(None);
    }
    let plain = expiration.bytes().all(|byte| byte.is_ascii_digit()) && !expiration.starts_with('0');
    let milliseconds: u64 = expiration.parse().ok().filter(|_| plain).ok_or(InvalidCookie)?;
    Ok(Some(Timestamp::from_unix_seconds(milliseconds / 1000).saturating_add(SKEW)))
}

/// Makes a key of a password, as Iron does. One round is no protection for a weak one.
fn derive(password: &str, salt: &str) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    pbkdf2::pbkdf2_hmac::<Sha1>(password.as_bytes(), salt.as_bytes(), 1, &mut *key);
    key
}

fn mac(password: &str, salt: &str) -> Hmac<Sha256> {
    Hmac::new_from_slice(&*derive(password, salt)).expect("a key of an HMAC may have any length")
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

fn hex<const N: usize>(bytes: [u8; N]) -> String {
    bytes.iter().fold(String::with_capacity(2 * N), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string grows");
        text
    })
}
