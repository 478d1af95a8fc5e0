//! Keys of Ed25519, as text.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ed25519_dalek::{SigningKey, VerifyingKey};
use sessionkit_core::KeyError;
use sessionkit_core::facade::{check_secret, key_error};
use zeroize::Zeroizing;

/// A key of Ed25519, which signs.
///
/// It is read from the PEM that `openssl genpkey -algorithm ed25519` writes, or from the member `d` of a JSON Web Key: 32 bytes
/// in base64url. Keys are wiped from memory when they are dropped, and never printed.
///
/// ```
/// use sessionkit::formats::Ed25519Key;
///
/// # let text = "vB7m3nRk2QwJx9Tz4LpHs8YdCf6GaUe1oVi5NqKtWb0";
/// let key: Ed25519Key = text.parse()?;
/// // For the services that verify.
/// println!("{}", key.public_key());
/// # Ok::<(), sessionkit::KeyError>(())
/// ```
#[derive(Clone)]
pub struct Ed25519Key(pub(super) Arc<SigningKey>);

impl Ed25519Key {
    /// Returns the public half.
    pub fn public_key(&self) -> Ed25519PublicKey {
        Ed25519PublicKey(self.0.verifying_key())
    }
}

impl FromStr for Ed25519Key {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        const ADVICE: &str = "make one with `openssl genpkey -algorithm ed25519`";
        let seed = read(text, "PRIVATE KEY", &PRIVATE);
        let seed = seed.ok_or_else(|| key_error(format!("this is no private key of Ed25519: {ADVICE}")))?;
        check_secret(&Zeroizing::new(URL_SAFE_NO_PAD.encode(*seed)))
            .map_err(|_| key_error(format!("the private key of Ed25519 is not random: {ADVICE}")))?;
        Ok(Self(Arc::new(SigningKey::from_bytes(&seed))))
    }
}

/// Shows the public half.
impl fmt::Debug for Ed25519Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ed25519Key").field("public_key", &self.public_key().to_string()).finish_non_exhaustive()
    }
}

/// A public key of Ed25519, which verifies.
///
/// It is read from the PEM that `openssl pkey -pubout` writes, or from the member `x` of a JSON Web Key: 32 bytes in base64url,
/// as it is printed.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct Ed25519PublicKey(pub(super) VerifyingKey);

impl FromStr for Ed25519PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let key = read(text, "PUBLIC KEY", &PUBLIC).and_then(|bytes| VerifyingKey::from_bytes(&bytes).ok());
        // Signatures of a weak one fit any text.
        let key = key.filter(|key| !key.is_weak());
        key.map(Self).ok_or_else(|| {
            key_error("this is no public key of Ed25519: get that of a private one with `openssl pkey -pubout`")
        })
    }
}

impl fmt::Display for Ed25519PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0.as_bytes()))
    }
}

impl fmt::Debug for Ed25519PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ed25519PublicKey({self})")
    }
}

/// What stands before the seed in PKCS #8 (RFC 8410): the structure, its version, the algorithm, two lengths.
const PRIVATE: [u8; 16] = [0x30, 0x2e, 0x02, 0x01, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

/// What stands before a public key: the structure, the algorithm, a length.
const PUBLIC: [u8; 12] = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];

/// Reads the 32 bytes of a key: PEM of this label, or base64url.
fn read(text: &str, label: &str, prefix: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let text = text.trim();
    let der = text.strip_prefix(&format!("-----BEGIN {label}-----"));
    let bytes = match der.and_then(|der| der.strip_suffix(&format!("-----END {label}-----"))) {
        Some(der) => {
            let der = Zeroizing::new(der.split_ascii_whitespace().collect::<String>());
            let der = Zeroizing::new(STANDARD.decode(&*der).ok()?);
            Zeroizing::new(der.strip_prefix(prefix)?.to_vec())
        }
        None => Zeroizing::new(URL_SAFE_NO_PAD.decode(text).ok()?),
    };
    <[u8; 32]>::try_from(bytes.as_slice()).ok().map(Zeroizing::new)
}
