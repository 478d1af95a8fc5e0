//! The encryption of values at rest: the keys of an application, and what binds a value to its place.
//!
//! Everything here works on bytes. Which values are encrypted, and what becomes of those that cannot be decrypted, is
//! decided above: by `record` for what is written, and by `data` for what is read.

use std::sync::OnceLock;

use aes_gcm_siv::{AeadInOut as _, Nonce, Tag};

pub use key_ring::{KeyError, KeyId, KeyRing};

use crate::token::SessionId;

pub(crate) mod cookie;
mod key_ring;
pub(crate) mod secrets;

/// The first byte of an encrypted value. No JSON, no MessagePack and no UTF-8 begins with it, so that one is never
/// read for a value that is not encrypted.
const MARK: u8 = 0xc1;

/// The one algorithm so far: AES-256-GCM-SIV ([RFC 8452](https://www.rfc-editor.org/rfc/rfc8452)).
const AES_256_GCM_SIV: u8 = 1;

const KEY_ID: usize = 4;
const NONCE: usize = 12;
const TAG: usize = 16;
const PREFIX: usize = 2 + KEY_ID + NONCE;

/// The number of bytes by which a value grows.
pub(crate) const OVERHEAD: usize = PREFIX + TAG;

/// The fields that are encrypted when they are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum EncryptedFields {
    /// None: what is encrypted already is read.
    Nothing,
    /// Those that are marked `sensitive`.
    Sensitive,
    /// All of the application's.
    All,
}

/// The reason why a value cannot be decrypted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Undecryptable {
    /// The ring does not have its key, or there is no ring.
    UnknownKey,
    /// It is not what was encrypted for this field of this session.
    Altered,
    /// A later release encrypted it in another way.
    Newer,
}

impl Undecryptable {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownKey => "its key is not in the key ring",
            Self::Altered => "it was altered, or belongs to another place",
            Self::Newer => "a newer release encrypted it",
        }
    }
}

/// Decrypts the values of one session.
#[derive(Clone, Copy)]
pub(crate) struct Opener<'a> {
    keys: Option<&'a KeyRing>,
    scope: &'a str,
    session: SessionId,
}

impl<'a> Opener<'a> {
    pub(crate) fn new(keys: Option<&'a KeyRing>, scope: &'a str, session: SessionId) -> Self {
        Self { keys, scope, session }
    }

    /// Decrypts nothing.
    pub(crate) fn without_keys() -> Self {
        Self { keys: None, scope: "", session: SessionId::from_bytes([0; 16]) }
    }

    /// Returns the opener of another session, with the same keys.
    pub(crate) fn of(self, session: SessionId) -> Self {
        Self { session, ..self }
    }

    /// Decrypts a value, which is stored under the key `field`.
    pub(crate) fn decrypt(&self, field: &str, stored: &[u8]) -> Result<Vec<u8>, Undecryptable> {
        let (prefix, rest) = stored.split_first_chunk::<PREFIX>().ok_or(Undecryptable::Altered)?;
        let [mark, algorithm, prefix @ ..] = prefix;
        if *mark != MARK {
            return Err(Undecryptable::Altered);
        }
        if *algorithm != AES_256_GCM_SIV {
            return Err(Undecryptable::Newer);
        }
        let (id, nonce) = prefix.split_first_chunk::<KEY_ID>().ok_or(Undecryptable::Altered)?;
        let nonce = <[u8; NONCE]>::try_from(nonce).map_err(|_| Undecryptable::Altered)?;
        let (encrypted, tag) = rest.split_last_chunk::<TAG>().ok_or(Undecryptable::Altered)?;
        let key = self.keys.and_then(|keys| keys.key(KeyId(*id))).ok_or(Undecryptable::UnknownKey)?;
        let (place, mut value) = (place(self.scope, self.session, field), encrypted.to_vec());
        let (nonce, tag) = (Nonce::from(nonce), Tag::from(*tag));
        let decrypted = key.decrypt_inout_detached(&nonce, &place, value.as_mut_slice().into(), &tag);
        decrypted.map(|()| value).map_err(|_| Undecryptable::Altered)
    }
}

/// Encrypts the values that one commit writes to a session.
///
/// The same value for the same place is encrypted to the same bytes, so that a commit can be computed again. Two values may
/// therefore share a nonce, which AES-GCM-SIV is made for; commits do not.
#[derive(Clone)]
pub(crate) struct Cipher {
    keys: KeyRing,
    scope: &'static str,
    session: SessionId,
    fields: EncryptedFields,
    /// Drawn for the first value.
    nonce: OnceLock<[u8; NONCE]>,
}

impl Cipher {
    pub(crate) fn new(keys: KeyRing, scope: &'static str, session: SessionId, fields: EncryptedFields) -> Self {
        Self { keys, scope, session, fields, nonce: OnceLock::new() }
    }

    pub(crate) fn opener(&self) -> Opener<'_> {
        Opener::new(Some(&self.keys), self.scope, self.session)
    }

    /// Returns which fields are encrypted when they are written.
    pub(crate) fn fields(&self) -> EncryptedFields {
        self.fields
    }

    /// Encrypts a value with the active key, to be stored under the key `field`.
    pub(crate) fn encrypt(&self, field: &str, value: &[u8]) -> Vec<u8> {
        let nonce = *self.nonce.get_or_init(|| {
            let mut nonce = [0; NONCE];
            getrandom::fill(&mut nonce).expect("the operating system gives random bytes");
            nonce
        });
        let (id, key) = self.keys.active();
        let mut stored = Vec::with_capacity(value.len() + OVERHEAD);
        stored.extend_from_slice(&[MARK, AES_256_GCM_SIV]);
        stored.extend_from_slice(&id.0);
        stored.extend_from_slice(&nonce);
        stored.extend_from_slice(value);
        let place = place(self.scope, self.session, field);
        let tag = key.encrypt_inout_detached(&Nonce::from(nonce), &place, (&mut stored[PREFIX..]).into());
        stored.extend_from_slice(&tag.expect("a value is shorter than 64 GiB"));
        stored
    }

    /// Returns whether stored bytes are this value, encrypted with the active key.
    pub(crate) fn is_encryption_of(&self, field: &str, value: &[u8], stored: &[u8]) -> bool {
        // Most values that changed have another length.
        stored.len() == value.len() + OVERHEAD
            && self.keys.is_active(stored)
            && self.opener().decrypt(field, stored).is_ok_and(|held| held == value)
    }
}

/// Returns the id of the key that encrypted a value, as far as its form is known.
pub(crate) fn key_id(stored: &[u8]) -> Option<KeyId> {
    match stored.first_chunk::<{ 2 + KEY_ID }>()? {
        [MARK, AES_256_GCM_SIV, id @ ..] => Some(KeyId(*id)),
        _ => None,
    }
}

/// Returns the associated data of a value: what it belongs to. No name of a scope has a zero byte, and all ids are of one
/// length, so that two places never have the same.
fn place(scope: &str, session: SessionId, field: &str) -> Vec<u8> {
    [scope.as_bytes(), &[0], session.as_bytes(), field.as_bytes()].concat()
}

#[cfg(test)]
mod tests;
