//! The signatures of the Python package `itsdangerous`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sessionkit_core::{InvalidCookie, Timestamp};
use sha1::{Digest as _, Sha1};
use zeroize::Zeroizing;

use super::Secrets;
use super::limits::{check_age, check_length};

/// Signs texts and the time, as `TimestampSigner` of the Python package `itsdangerous` does with its defaults.
///
/// The building block of the other formats, for what they do not cover: a `URLSafeTimedSerializer` of an application's own, for
/// example. The signature is an HMAC-SHA1, which nobody can forge to this day; that SHA-1 has collisions does not matter to it.
///
/// ```
/// use std::time::Duration;
/// use sessionkit::formats::{Secrets, TimestampSigner};
/// # use sessionkit::Timestamp;
///
/// # let secret = "vB7m3nRk2QwJx9Tz4LpHs8YdCf6GaUe1oVi5NqKtWb0";
/// # let now = Timestamp::from_unix_seconds(1_700_000_000);
/// let signer = TimestampSigner::new(Secrets::new([secret])?, "unsubscribe");
/// let signed = signer.sign("ana@example.org", now);
/// assert_eq!(signer.unsign(&signed, Duration::from_secs(3600), now), Ok(("ana@example.org", now)));
/// # Ok::<(), sessionkit::KeyError>(())
/// ```
#[derive(Clone)]
pub struct TimestampSigner(Signer);

impl TimestampSigner {
    /// Makes a signer for a salt, which keeps signatures for one purpose from being used for another. That of Python's `Signer`
    /// is `itsdangerous.Signer` if none is given, and that of its serializers `itsdangerous`.
    pub fn new(secrets: Secrets, salt: &str) -> Self {
        Self(Signer::with_keys(&secrets, |secret| {
            Sha1::new().chain_update(salt).chain_update("signer").chain_update(secret).finalize().into()
        }))
    }

    /// Makes a signer with `key_derivation="hmac"`, which Flask uses.
    pub fn with_hmac_keys(secrets: Secrets, salt: &str) -> Self {
        Self(Signer::with_hmac_keys(&secrets, salt))
    }

    /// Signs a value with the first secret. A signed cookie holds the value as it is, so it must be one that a cookie may have.
    pub fn sign(&self, value: &str, now: Timestamp) -> String {
        let seconds = now.unix_seconds().to_be_bytes();
        let zeros = seconds.iter().take_while(|byte| **byte == 0).count();
        self.0.sign(&format!("{value}.{}", URL_SAFE_NO_PAD.encode(&seconds[zeros..])))
    }

    /// Returns the value, and the time at which one of the secrets signed it. As `itsdangerous` does, it refuses what is older
    /// than `max_age`, and what is from the future by any clock.
    ///
    /// # Errors
    /// Fails alike for whatever is wrong.
    pub fn unsign<'a>(
        &self,
        signed: &'a str,
        max_age: Duration,
        now: Timestamp,
    ) -> Result<(&'a str, Timestamp), InvalidCookie> {
        let (value, time) = self.0.unsign(signed)?.rsplit_once('.').ok_or(InvalidCookie)?;
        let written_at = read_time(time).ok_or(InvalidCookie)?;
        check_age(written_at, now, max_age, Duration::ZERO)?;
        Ok((value, written_at))
    }
}

/// Signs texts as `Signer` does, which knows no time.
#[derive(Clone)]
pub(crate) struct Signer(Arc<[Hmac<Sha1>]>);

impl Signer {
    /// Makes a signer with `key_derivation="hmac"`.
    pub(crate) fn with_hmac_keys(secrets: &Secrets, salt: &str) -> Self {
        Self::with_keys(secrets, |secret| mac_of(secret.as_bytes()).chain_update(salt).finalize().into_bytes().into())
    }

    fn with_keys(secrets: &Secrets, derive: impl Fn(&str) -> [u8; 20]) -> Self {
        Self(secrets.iter().map(|secret| mac_of(&*Zeroizing::new(derive(secret)))).collect())
    }

    /// Signs a text with the first secret.
    pub(crate) fn sign(&self, text: &str) -> String {
        // There is a first secret: a list without one is refused.
        let signature = self.0[0].clone().chain_update(text).finalize().into_bytes();
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// Returns the text that one of the secrets signed.
    pub(crate) fn unsign<'a>(&self, signed: &'a str) -> Result<&'a str, InvalidCookie> {
        check_length(signed)?;
        let (text, signature) = signed.rsplit_once('.').ok_or(InvalidCookie)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| InvalidCookie)?;
        let verifies = |mac: &Hmac<Sha1>| mac.clone().chain_update(text).verify_slice(&signature).is_ok();
        if self.0.iter().any(verifies) { Ok(text) } else { Err(InvalidCookie) }
    }
}

/// Shows the number of secrets.
impl fmt::Debug for TimestampSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimestampSigner").field("secrets", &self.0.0.len()).finish_non_exhaustive()
    }
}

fn mac_of(key: &[u8]) -> Hmac<Sha1> {
    Hmac::new_from_slice(key).expect("a key of an HMAC may have any length")
}

/// Reads seconds, as bytes of which the first is not zero.
fn read_time(text: &str) -> Option<Timestamp> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let mut seconds = [0; 8];
    seconds.get_mut(8usize.checked_sub(bytes.len())?..)?.copy_from_slice(&bytes);
    (bytes.first() != Some(&0)).then(|| Timestamp::from_unix_seconds(u64::from_be_bytes(seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_one_spelling() {
        for (text, seconds) in
            [("ZVPxAA", Some(1_700_000_000)), ("", Some(0)), ("AQ", Some(1)), ("__________8", Some(u64::MAX))]
        {
            assert_eq!(read_time(text).map(Timestamp::unix_seconds), seconds, "{text}");
        }
        for text in ["AGVT8QA", "AA", "ZVPxAB=", "ZVPxAB", "AQAAAAAAAAAA", "?"] {
            assert_eq!(read_time(text), None, "{text}");
        }
    }

    #[test]
    fn a_signature_is_of_its_salt_and_its_derivation() {
        let secrets = || Secrets::unchecked(["a secret"]);
        let now = Timestamp::from_unix_seconds(1_700_000_000);
        let signed = TimestampSigner::new(secrets(), "a").sign("x", now);
        let opens = |signer: TimestampSigner| signer.unsign(&signed, Duration::MAX, now).is_ok();
        assert!(opens(TimestampSigner::new(secrets(), "a")));
        assert!(!opens(TimestampSigner::new(secrets(), "b")));
        assert!(!opens(TimestampSigner::with_hmac_keys(secrets(), "a")));
    }

    #[test]
    fn keys_are_not_shown() {
        let signer = TimestampSigner::new(Secrets::unchecked(["a secret"]), "a");
        assert_eq!(format!("{signer:?}"), "TimestampSigner { secrets: 1, .. }");
    }
}
