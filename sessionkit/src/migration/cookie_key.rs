//! The signed and the private cookies of the crate `cookie`.

use std::fmt;

use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::{Aes256Gcm, KeyInit as _, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use sessionkit_core::KeyError;
use sessionkit_core::facade::key_error;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::record::random;

/// A `Key` of the crate `cookie`, with which `actix-session` and `tower-sessions` sign or encrypt their cookies.
///
/// ```
/// use sessionkit::migration::CookieKey;
///
/// # let bytes: Vec<u8> = (0..64).collect();
/// // The bytes that the other application gives to `Key::from`, or to `Key::derive_from`.
/// let key = CookieKey::new(&bytes)?;
/// # let _ = key;
/// # Ok::<(), sessionkit::KeyError>(())
/// ```
///
/// Keys are wiped from memory when they are dropped, and never printed.
#[derive(Clone)]
pub struct CookieKey {
    signing: Hmac<Sha256>,
    encryption: Zeroizing<[u8; 32]>,
}

/// The characters of an HMAC-SHA256 in base64.
const SIGNATURE: usize = 44;
const NONCE: usize = 12;

/// The longest cookie that is read, in bytes, as it was sent.
const MAX_COOKIE: usize = 4096;

impl CookieKey {
    /// Takes 64 bytes or more, as `Key::from` does.
    ///
    /// # Errors
    /// Fails when there are fewer, or when they are anything but random.
    pub fn new(bytes: &[u8]) -> Result<Self, KeyError> {
        let Some((signing, rest)) = bytes.split_first_chunk::<32>() else { return Err(refused()) };
        let Some((encryption, _)) = rest.split_first_chunk::<32>() else { return Err(refused()) };
        if [signing, encryption].into_iter().any(looks_chosen) {
            return Err(refused());
        }
        Ok(Self { signing: mac_of(signing), encryption: Zeroizing::new(*encryption) })
    }

    /// Takes a master key of 32 bytes or more, as `Key::derive_from` does.
    ///
    /// # Errors
    /// Fails when there are fewer, or when they are anything but random.
    pub fn derive_from(master_key: &[u8]) -> Result<Self, KeyError> {
        if master_key.len() < 32 || looks_chosen(master_key) {
            return Err(refused());
        }
        // The second half of HKDF, with the master key as what the first half makes.
        let info = b"COOKIE;SIGNED:HMAC-SHA256;PRIVATE:AEAD-AES-256-GCM";
        let hkdf = mac_of(master_key);
        let signing: Zeroizing<[u8; 32]> =
            Zeroizing::new(hkdf.clone().chain_update(info).chain_update([1]).finalize().into_bytes().into());
        let encryption = hkdf.chain_update(*signing).chain_update(info).chain_update([2]).finalize().into_bytes();
        Ok(Self { signing: mac_of(&*signing), encryption: Zeroizing::new(encryption.into()) })
    }

    fn sign(&self, value: &str) -> String {
        let signature = self.signing.clone().chain_update(value).finalize().into_bytes();
        format!("{}{value}", STANDARD.encode(signature))
    }

    fn verify(&self, signed: &str) -> Option<String> {
        let (signature, value) = signed.split_at_checked(SIGNATURE)?;
        let signature = STANDARD.decode(signature).ok()?;
        self.signing.clone().chain_update(value).verify_slice(&signature).ok()?;
        Some(value.to_owned())
    }

    fn encrypt(&self, name: &str, value: &str) -> String {
        let nonce = random::<NONCE>();
        let payload = Payload { msg: value.as_bytes(), aad: name.as_bytes() };
        let sealed = self.cipher().encrypt(&Nonce::from(nonce), payload).expect("a value is short");
        STANDARD.encode([&nonce[..], &sealed].concat())
    }

    fn decrypt(&self, name: &str, encrypted: &str) -> Option<String> {
        let bytes = STANDARD.decode(encrypted).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE>()?;
        let payload = Payload { msg: sealed, aad: name.as_bytes() };
        String::from_utf8(self.cipher().decrypt(&Nonce::from(*nonce), payload).ok()?).ok()
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new((&*self.encryption).into())
    }
}

/// Shows nothing of the key.
impl fmt::Debug for CookieKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CookieKey")
    }
}

/// The protection of a cookie.
#[derive(Clone, Debug)]
pub(super) enum Protection {
    #[cfg(feature = "tower-sessions")]
    None,
    Signed(CookieKey),
    Private(CookieKey),
}

impl Protection {
    /// Returns the value of a cookie as it was before it was protected, or `None` if nobody who has the key wrote it.
    pub(super) fn open(&self, name: &str, cookie: &str) -> Option<String> {
        let value = Some(cookie).filter(|cookie| cookie.len() <= MAX_COOKIE).and_then(percent_decode)?;
        match self {
            #[cfg(feature = "tower-sessions")]
            Self::None => Some(value),
            Self::Signed(key) => key.verify(&value),
            Self::Private(key) => key.decrypt(name, &value),
        }
    }

    /// Returns a cookie as it is sent.
    pub(super) fn seal(&self, name: &str, value: &str) -> String {
        let value = match self {
            #[cfg(feature = "tower-sessions")]
            Self::None => value.to_owned(),
            Self::Signed(key) => key.sign(value),
            Self::Private(key) => key.encrypt(name, value),
        };
        // Nothing else that base64 has is encoded.
        value.replace('/', "%2F").replace('=', "%3D")
    }
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut parts = text.split('%');
    bytes.extend_from_slice(parts.next()?.as_bytes());
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        // A sign would be taken for a part of the number.
        if digits.starts_with('+') {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

/// Returns whether there are so few different bytes that no generator made them. Random digits are taken, as texts.
fn looks_chosen(bytes: impl AsRef<[u8]>) -> bool {
    let mut seen = [false; 256];
    bytes.as_ref().iter().for_each(|byte| seen[usize::from(*byte)] = true);
    seen.iter().filter(|seen| **seen).count() < 8
}

fn refused() -> KeyError {
    key_error("the cookie key is too short, or not random: take the bytes of the other application's `Key`".to_owned())
}

fn mac_of(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("a key of an HMAC may have any length")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(first: u8) -> CookieKey {
        CookieKey::new(&std::array::from_fn::<u8, 64, _>(|at| first.wrapping_add(u8::try_from(at * 3).unwrap())))
            .unwrap()
    }

    #[test]
    fn what_is_sealed_is_opened() {
        for protection in [Protection::Signed(key(1)), Protection::Private(key(1))] {
            for value in ["", "a", "\u{e9}", "a/b+c=="] {
                let cookie = protection.seal("id", value);
                assert_eq!(protection.open("id", &cookie).as_deref(), Some(value), "{cookie}");
            }
        }
    }

    #[test]
    fn an_altered_cookie_is_refused() {
        for seal in [Protection::Signed, Protection::Private] {
            let (protection, value) = (seal(key(1)), "abcdefgh");
            let cookie = protection.seal("id", value);
            for at in 0..cookie.len() {
                for bit in 0..7 {
                    let mut bytes = cookie.clone().into_bytes();
                    bytes[at] ^= 1 << bit;
                    let altered = String::from_utf8(bytes).unwrap();
                    let decoded = percent_decode(&altered);
                    // A digit of the encoding may be written in two ways.
                    let is_same = decoded.is_some() && decoded == percent_decode(&cookie);
                    assert_eq!(protection.open("id", &altered).is_some(), is_same, "{altered}");
                }
                assert_eq!(protection.open("id", &cookie[..at]), None);
            }
            assert_eq!(seal(key(2)).open("id", &cookie), None, "of another key");
            assert_eq!(protection.open("id", &protection.seal("id", &"a".repeat(5000))), None, "too long");
            for cookie in ["", value, "%", "%2", "%zz", "%+1", "%ff", &"a".repeat(1_000_000)] {
                assert_eq!(protection.open("id", cookie), None);
            }
        }
        let (signed, private) = (Protection::Signed(key(1)), Protection::Private(key(1)));
        assert_eq!(private.open("id", &signed.seal("id", "a")), None);
        assert_eq!(signed.open("id", &private.seal("id", "a")), None);
        assert_eq!(private.open("other", &private.seal("id", "a")), None, "of another cookie");
    }

    #[test]
    fn a_key_is_random_and_long_enough() {
        let random: [u8; 64] = std::array::from_fn(|at| u8::try_from(at).unwrap());
        assert!(CookieKey::new(&random).is_ok() && CookieKey::derive_from(&random[..32]).is_ok());
        for refused in [&[][..], &random[..63], &[0; 64], &[random, [7; 64]].concat()[40..104]] {
            assert!(CookieKey::new(refused).is_err(), "{refused:?}");
        }
        for refused in [&[][..], &random[..31], &[0; 32]] {
            assert!(CookieKey::derive_from(refused).is_err(), "{refused:?}");
        }
        assert_eq!(format!("{:?}", Protection::Signed(key(1))), "Signed(CookieKey)");
    }
}
