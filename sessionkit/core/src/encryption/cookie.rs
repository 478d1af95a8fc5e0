//! The encryption of a whole session that lies in a cookie.
//!
//! The bytes, before they become base64url without padding:
//!
//! | bytes | |
//! |---|---|
//! | 1 | the version, 1: AES-256-GCM-SIV ([RFC 8452](https://www.rfc-editor.org/rfc/rfc8452)) |
//! | 4 | the id of the key |
//! | 12 | the nonce, random |
//! | n | the session, encrypted |
//! | 16 | the tag, over the session and the associated data |
//!
//! The associated data are the purpose, the name of the cookie and the name of the scope, with zero bytes between them: a
//! cookie opens nothing under another name, in another scope, or as anything but a session.

use aes_gcm_siv::{AeadInOut as _, Nonce, Tag};

use super::{KEY_ID, KeyId, KeyRing, NONCE, TAG, Undecryptable};

const VERSION: u8 = 1;
const PREFIX: usize = 1 + KEY_ID + NONCE;

/// The number of bytes by which a session grows.
pub(crate) const COOKIE_OVERHEAD: usize = PREFIX + TAG;

/// Returns what a cookie of this name belongs to.
pub(crate) fn cookie_place(name: &str, scope: &str) -> Vec<u8> {
    [b"sessionkit session cookie".as_slice(), name.as_bytes(), scope.as_bytes()].join(&0)
}

/// Encrypts a session with the active key.
pub(crate) fn seal_cookie(keys: &KeyRing, place: &[u8], session: &[u8]) -> Vec<u8> {
    let mut nonce = [0; NONCE];
    getrandom::fill(&mut nonce).expect("the operating system gives random bytes");
    let (id, key) = keys.active_for_cookies();
    let mut sealed = Vec::with_capacity(session.len() + COOKIE_OVERHEAD);
    sealed.push(VERSION);
    sealed.extend_from_slice(&id.0);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(session);
    let tag = key.encrypt_inout_detached(&Nonce::from(nonce), place, (&mut sealed[PREFIX..]).into());
    sealed.extend_from_slice(&tag.expect("a session is shorter than 64 GiB"));
    sealed
}

/// Decrypts a session, and returns with it whether the active key had encrypted it.
pub(crate) fn open_cookie(keys: &KeyRing, place: &[u8], sealed: &[u8]) -> Result<(Vec<u8>, bool), Undecryptable> {
    let (prefix, rest) = sealed.split_first_chunk::<PREFIX>().ok_or(Undecryptable::Altered)?;
    let [version, prefix @ ..] = prefix;
    if *version != VERSION {
        return Err(if *version > VERSION { Undecryptable::Newer } else { Undecryptable::Altered });
    }
    let (id, nonce) = prefix.split_first_chunk::<KEY_ID>().ok_or(Undecryptable::Altered)?;
    let nonce = <[u8; NONCE]>::try_from(nonce).map_err(|_| Undecryptable::Altered)?;
    let (encrypted, tag) = rest.split_last_chunk::<TAG>().ok_or(Undecryptable::Altered)?;
    let key = keys.for_cookies(KeyId(*id)).ok_or(Undecryptable::UnknownKey)?;
    let mut session = encrypted.to_vec();
    let (nonce, tag) = (Nonce::from(nonce), Tag::from(*tag));
    let opened = key.decrypt_inout_detached(&nonce, place, session.as_mut_slice().into(), &tag);
    opened.map(|()| (session, KeyId(*id) == keys.active_id())).map_err(|_| Undecryptable::Altered)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_opens_where_it_was_sealed_and_nowhere_else() {
        let (keys, other) = (KeyRing::generate(), KeyRing::generate());
        let place = cookie_place("session", "Main");
        let sealed = seal_cookie(&keys, &place, b"everything");
        assert_eq!(open_cookie(&keys, &place, &sealed), Ok((b"everything".to_vec(), true)));
        for elsewhere in [cookie_place("other", "Main"), cookie_place("session", "Office"), Vec::new()] {
            assert_eq!(open_cookie(&keys, &elsewhere, &sealed), Err(Undecryptable::Altered));
        }
        assert_eq!(open_cookie(&other, &place, &sealed), Err(Undecryptable::UnknownKey));
    }

    #[test]
    fn every_changed_bit_and_every_missing_end_is_refused() {
        let (keys, place) = (KeyRing::generate(), cookie_place("session", "Main"));
        let sealed = seal_cookie(&keys, &place, &[7; 40]);
        for bit in 0..sealed.len() * 8 {
            let mut altered = sealed.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            assert!(open_cookie(&keys, &place, &altered).is_err(), "bit {bit}");
        }
        for length in 0..sealed.len() {
            assert!(open_cookie(&keys, &place, &sealed[..length]).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn a_previous_key_opens_and_is_told_apart() {
        let (old, new) = (KeyRing::generate_key(), KeyRing::generate_key());
        let place = cookie_place("session", "Main");
        let sealed = seal_cookie(&old.parse().unwrap(), &place, b"x");
        let ring: KeyRing = format!("{new} {old}").parse().unwrap();
        assert_eq!(open_cookie(&ring, &place, &sealed), Ok((b"x".to_vec(), false)));
        assert_eq!(open_cookie(&new.parse().unwrap(), &place, &sealed), Err(Undecryptable::UnknownKey));
    }

    /// A key of a cookie is not the key of a field.
    #[test]
    fn what_was_encrypted_as_a_field_is_no_cookie() {
        let keys = KeyRing::generate();
        let place = cookie_place("session", "Main");
        let (id, field) = keys.active();
        let mut bytes = b"everything".to_vec();
        let tag = field.encrypt_inout_detached(&Nonce::from([0; NONCE]), &place, bytes.as_mut_slice().into()).unwrap();
        let forged = [&[VERSION][..], &id.0, &[0; NONCE], &bytes, &tag].concat();
        assert_eq!(open_cookie(&keys, &place, &forged), Err(Undecryptable::Altered));
    }
}
