//! Under what an entry is stored.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::record::adoption::AdoptionName;
use crate::record::front::EntryKind;
use crate::token::SessionId;

const LONGEST: usize = 33;

/// Stands before the printed key of a list.
const LIST: char = '@';

/// Stands before the printed key of an adoption.
const ADOPTION: char = '~';

/// The key of an entry: a few bytes, of which the first is the kind. Not secret: it opens nothing.
///
/// The key of a session is the [`SessionId`]. That of the list of a user's sessions is the SHA-256 of the name of the
/// scope, a zero byte and the user's id; that of an adoption a hash of the other system's session. It prints as base64url, a list
/// with `@` before it, and an adoption with `~`.
///
/// ```
/// # mod sessionkit { pub use sessionkit_core::*; pub mod store { pub use sessionkit_core::*; } }
/// use sessionkit::SessionId;
/// use sessionkit::store::EntryKey;
///
/// let key = EntryKey::session(SessionId::from_bytes([0; 16]));
/// assert_eq!(key.to_string(), "AAAAAAAAAAAAAAAAAAAAAA");
/// assert_eq!(EntryKey::parse("AAAAAAAAAAAAAAAAAAAAAA"), Some(key));
/// ```
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct EntryKey {
    bytes: [u8; LONGEST],
    length: u8,
}

impl EntryKey {
    /// Returns the key of a session.
    pub fn session(id: SessionId) -> Self {
        Self::new(EntryKind::Session, id.as_bytes())
    }

    /// Returns the key of the list of a user's sessions in a scope.
    pub fn session_list(scope: &str, user_id: &str) -> Self {
        let hash = Sha256::new().chain_update(scope).chain_update([0]).chain_update(user_id);
        Self::new(EntryKind::SessionList, &hash.finalize())
    }

    /// Returns the key of the list that has this name.
    pub(crate) fn list_named(name: &[u8; 32]) -> Self {
        Self::new(EntryKind::SessionList, name)
    }

    /// Returns the key of the note about a session of another system.
    pub(crate) fn adoption(name: AdoptionName) -> Self {
        Self::adoption_named(&name.0)
    }

    /// Returns the key of the adoption that has this name.
    pub(crate) fn adoption_named(name: &[u8; 32]) -> Self {
        Self::new(EntryKind::Adoption, name)
    }

    /// Returns what tells a list or an adoption from others; zeros for a session.
    pub(crate) fn long_name(&self) -> [u8; 32] {
        self.as_bytes()[1..].try_into().unwrap_or_default()
    }

    fn new(kind: EntryKind, name: &[u8]) -> Self {
        let mut key = Self { bytes: [0; LONGEST], length: name.len() as u8 + 1 };
        key.bytes[0] = kind.byte();
        key.bytes[1..=name.len()].copy_from_slice(name);
        key
    }

    /// Returns the kind of the entry.
    pub fn kind(&self) -> EntryKind {
        EntryKind::from_byte(self.bytes[0]).unwrap_or(EntryKind::Session)
    }

    /// Returns the bytes of the key, the kind first.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// Reads what [`as_bytes`](Self::as_bytes) returned.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (&kind, name) = bytes.split_first()?;
        let kind = EntryKind::from_byte(kind)?;
        (name.len() == length(kind)).then(|| Self::new(kind, name))
    }

    /// Reads a key as it prints.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, text) = match (text.strip_prefix(LIST), text.strip_prefix(ADOPTION)) {
            (Some(text), _) => (EntryKind::SessionList, text),
            (_, Some(text)) => (EntryKind::Adoption, text),
            _ => (EntryKind::Session, text),
        };
        let name = URL_SAFE_NO_PAD.decode(text).ok()?;
        (name.len() == length(kind)).then(|| Self::new(kind, &name))
    }

    /// Returns the session whose key this is.
    pub fn session_id(&self) -> Option<SessionId> {
        match self.kind() {
            EntryKind::Session => self.as_bytes()[1..].try_into().ok().map(SessionId::from_bytes),
            EntryKind::SessionList | EntryKind::Adoption => None,
        }
    }
}

fn length(kind: EntryKind) -> usize {
    match kind {
        EntryKind::Session => 16,
        EntryKind::SessionList | EntryKind::Adoption => 32,
    }
}

impl fmt::Display for EntryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind() {
            EntryKind::Session => {}
            EntryKind::SessionList => write!(f, "{LIST}")?,
            EntryKind::Adoption => write!(f, "{ADOPTION}")?,
        }
        let mut text = [0; 43];
        let length =
            URL_SAFE_NO_PAD.encode_slice(&self.as_bytes()[1..], &mut text).expect("32 bytes are 43 characters");
        f.write_str(str::from_utf8(&text[..length]).expect("base64 is text"))
    }
}

impl fmt::Debug for EntryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EntryKey({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_is_written() {
        let session = EntryKey::session(SessionId::from_bytes([0xfb; 16]));
        let list = EntryKey::session_list("Main", "ada");
        let adoption = EntryKey::adoption_named(&list.long_name());
        assert_ne!(adoption, list);
        for key in [session, list, adoption] {
            assert_eq!(EntryKey::parse(&key.to_string()), Some(key));
            assert_eq!(EntryKey::from_bytes(key.as_bytes()), Some(key));
        }
        assert_eq!(session.session_id(), Some(SessionId::from_bytes([0xfb; 16])));
        assert_eq!(list.session_id(), None);
        assert_eq!(list.to_string().len(), 44);
        for wrong in ["", "@", "x", "AAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAA", "@AAAAAAAAAAAAAAAAAAAAAA"] {
            assert_eq!(EntryKey::parse(wrong), None, "{wrong}");
        }
        assert_eq!(EntryKey::from_bytes(b"x0123456789abcdef"), None);
    }

    #[test]
    fn users_and_scopes_are_kept_apart() {
        let keys = [("Main", "ada"), ("Main", "Ada"), ("Main\0a", "da"), ("Office", "ada")];
        for (at, (scope, user)) in keys.iter().enumerate() {
            for (other_scope, other) in &keys[at + 1..] {
                assert_ne!(EntryKey::session_list(scope, user), EntryKey::session_list(other_scope, other));
            }
        }
    }
}
