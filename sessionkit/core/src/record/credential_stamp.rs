//! A mark of the credentials that a login was made with.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// The length of a stamp, in bytes.
const STAMP: usize = 8;

/// A mark of the credentials that a login was made with: when they change, what was stored with the old ones is void.
///
/// It is made from something that changes with the credentials and is not secret enough to open anything: the stored hash
/// of the password, as a rule. The stamp is cut so short that it tells nothing about what it was made from, and long
/// enough that another password has another one.
///
/// ```
/// # use sessionkit_core as sessionkit;
/// use sessionkit::CredentialStamp;
///
/// let before = CredentialStamp::of("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA");
/// let after = CredentialStamp::of("$argon2id$v=19$m=19456,t=2,p=1$c2FsdDI$aGFzaDI");
/// assert_ne!(before, after);
/// ```
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct CredentialStamp([u8; STAMP]);

impl CredentialStamp {
    /// Makes the stamp of some credentials: of the stored hash of a password, or of that and of whatever else shall end
    /// older sessions when it changes.
    pub fn of(credentials: impl AsRef<[u8]>) -> Self {
        let hash = Sha256::new().chain_update(b"sessionkit credential stamp\0").chain_update(credentials);
        let hash: [u8; 32] = hash.finalize().into();
        let mut stamp = [0; STAMP];
        stamp.copy_from_slice(&hash[..STAMP]);
        Self(stamp)
    }

    /// Makes a stamp from its bytes, for stores.
    pub const fn from_bytes(bytes: [u8; STAMP]) -> Self {
        Self(bytes)
    }

    /// The bytes, for stores.
    pub const fn as_bytes(&self) -> &[u8; STAMP] {
        &self.0
    }
}

/// Shows nothing.
impl fmt::Debug for CredentialStamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CredentialStamp(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_the_same_for_the_same_credentials_alone() {
        let stamp = CredentialStamp::of("hash of a password");
        assert_eq!(stamp, CredentialStamp::of(b"hash of a password"));
        assert_eq!(stamp, CredentialStamp::from_bytes(*stamp.as_bytes()));
        assert_ne!(stamp, CredentialStamp::of("hash of another"));
        // The plain hash of the same: it must not be the stamp.
        let plain: [u8; 32] = Sha256::digest("hash of a password").into();
        assert_ne!(stamp.as_bytes()[..], plain[..STAMP]);
    }

    #[test]
    fn a_stamp_keeps_its_value_across_releases() {
        assert_eq!(format!("{:02x?}", CredentialStamp::of("ada").as_bytes()), "[f7, 90, bd, b3, 0a, 1b, da, 72]");
    }

    #[test]
    fn a_stamp_is_not_printed() {
        assert_eq!(format!("{:?}", CredentialStamp::of("ada")), "CredentialStamp(..)");
    }
}
