//! The note of what became of a session of another system, as it is stored.
//!
//! It is an entry of the kind `a`, under a hash of the scope, the system and the id of that session. Behind the front that all
//! entries have:
//!
//! | bytes | |
//! |---|---|
//! | 1 | the state: 1 claimed, 2 adopted, 3 ended |
//! | 5 | until when the note is kept, in seconds since 1970, big-endian |
//! | n | the name of the scope, its length before it |
//! | n | the name of the system, its length before it |
//! | 16 + 5 | claimed: the name of the claim, and the time at which it lapses |
//! | 12 + 48 + 16 | adopted: the nonce, the token of the session, encrypted, and the tag (AES-256-GCM-SIV) |
//! | 5 | ended: when |
//!
//! The key of the encryption is a hash of the id of the other system's session: who presents that gets the token of ours, and
//! who reads the store does not.

use std::fmt;
use std::sync::Arc;

use aes_gcm_siv::{AeadInOut as _, Aes256GcmSiv, KeyInit as _, Nonce, Tag};
use sha2::{Digest as _, Sha256};

use crate::record::front::{self, EntryKind, FRONT, Generation, History, Unreadable};
use crate::record::parts::{read_time, time};
use crate::record::varint::{read_slice, write_slice};
use crate::time::Timestamp;
use crate::token::{TOKEN, Token};

const NONCE: usize = 12;
const TAG: usize = 16;
const CLAIMED: u8 = 1;
const ADOPTED: u8 = 2;
const ENDED: u8 = 3;

/// The name of a session of another system, by which its note is found: a hash.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub(crate) struct AdoptionName(pub(crate) [u8; 32]);

impl AdoptionName {
    pub(crate) fn new(scope: &str, system: &str, id: &str) -> Self {
        Self(hash("sessionkit adoption", scope, system, id))
    }
}

/// The key that encrypts the token of the session that was adopted.
#[derive(Clone)]
pub(crate) struct AdoptionKey([u8; 32]);

impl AdoptionKey {
    pub(crate) fn new(scope: &str, system: &str, id: &str) -> Self {
        Self(hash("sessionkit adopted token", scope, system, id))
    }

    /// Encrypts a token for a note.
    pub(crate) fn seal(&self, token: &Token) -> SealedToken {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).expect("the operating system gives random bytes");
        let mut sealed = token.to_bytes();
        let tag = self.cipher().encrypt_inout_detached(&Nonce::from(nonce), b"", sealed.as_mut_slice().into());
        let tag = tag.expect("a token is shorter than 64 GiB").into();
        SealedToken { nonce, sealed, tag }
    }

    /// Decrypts the token of a note; `None` if it was altered.
    pub(crate) fn open(&self, SealedToken { nonce, sealed, tag }: &SealedToken) -> Option<Token> {
        let (mut token, nonce, tag) = (*sealed, Nonce::from(*nonce), Tag::from(*tag));
        self.cipher().decrypt_inout_detached(&nonce, b"", token.as_mut_slice().into(), &tag).ok()?;
        Some(Token::from_bytes(&token))
    }

    fn cipher(&self) -> Aes256GcmSiv {
        Aes256GcmSiv::new(&self.0.into())
    }
}

fn hash(purpose: &str, scope: &str, system: &str, id: &str) -> [u8; 32] {
    let parts = [purpose, scope, system, id].into_iter();
    let hash =
        parts.fold(Sha256::new(), |hash, part| hash.chain_update((part.len() as u64).to_be_bytes()).chain_update(part));
    hash.finalize().into()
}

/// A token that nobody reads who does not know the other system's session.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) struct SealedToken {
    nonce: [u8; NONCE],
    sealed: [u8; TOKEN],
    tag: [u8; TAG],
}

impl fmt::Debug for SealedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedToken(..)")
    }
}

/// The note of what became of a session of another system.
#[derive(Clone, Debug)]
pub(crate) struct Adoption {
    pub(crate) history: History,
    pub(crate) scope: Arc<str>,
    pub(crate) system: Arc<str>,
    pub(crate) kept_until: Timestamp,
    pub(crate) state: AdoptionState,
}

/// The state of a session of another system.
#[derive(Clone, Copy, Debug)]
pub(crate) enum AdoptionState {
    /// A request makes a session of it.
    Claimed { claim: [u8; 16], lapses: Timestamp },
    /// It became the session of this token, which may have ended since.
    Adopted(SealedToken),
    /// It was ended before it became a session; or, of a user, all that began before this time.
    Ended { at: Timestamp },
}

impl Adoption {
    /// Reads a note from the bytes of an entry.
    ///
    /// # Errors
    /// Fails when the bytes are of a version that this release does not know, or no whole note.
    pub(crate) fn from_bytes(packed: &[u8]) -> Result<Self, Unreadable> {
        let (_, history) = front::read_front(packed, EntryKind::Adoption)?;
        Self::read(&packed[FRONT..], history).ok_or(Unreadable::Damaged)
    }

    fn read(mut rest: &[u8], history: History) -> Option<Self> {
        let state = *take::<1>(&mut rest)?;
        let kept_until = read_time(*take(&mut rest)?);
        let scope = str::from_utf8(read_slice(&mut rest)?).ok()?.into();
        let system = str::from_utf8(read_slice(&mut rest)?).ok()?.into();
        let state = match state {
            [CLAIMED] => {
                let claim = *take(&mut rest)?;
                AdoptionState::Claimed { claim, lapses: read_time(*take(&mut rest)?) }
            }
            [ADOPTED] => {
                let (nonce, sealed) = (*take(&mut rest)?, *take(&mut rest)?);
                AdoptionState::Adopted(SealedToken { nonce, sealed, tag: *take(&mut rest)? })
            }
            [ENDED] => AdoptionState::Ended { at: read_time(*take(&mut rest)?) },
            _ => return None,
        };
        rest.is_empty().then_some(Self { history, scope, system, kept_until, state })
    }

    /// Packs the note.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut packed = Vec::with_capacity(FRONT + 128);
        front::write_front(&mut packed, EntryKind::Adoption, Generation::default());
        self.history.write(&mut packed);
        packed.push(match self.state {
            AdoptionState::Claimed { .. } => CLAIMED,
            AdoptionState::Adopted(_) => ADOPTED,
            AdoptionState::Ended { .. } => ENDED,
        });
        packed.extend_from_slice(&time(self.kept_until));
        write_slice(&mut packed, self.scope.as_bytes());
        write_slice(&mut packed, self.system.as_bytes());
        match &self.state {
            AdoptionState::Claimed { claim, lapses } => {
                packed.extend_from_slice(claim);
                packed.extend_from_slice(&time(*lapses));
            }
            AdoptionState::Adopted(SealedToken { nonce, sealed, tag }) => {
                packed.extend_from_slice(nonce);
                packed.extend_from_slice(sealed);
                packed.extend_from_slice(tag);
            }
            AdoptionState::Ended { at } => packed.extend_from_slice(&time(*at)),
        }
        packed
    }
}

fn take<'a, const LENGTH: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8; LENGTH]> {
    let (taken, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::OsRandom;

    const LATER: Timestamp = Timestamp::from_unix_seconds(1_800_000_000);

    fn note(state: AdoptionState) -> Adoption {
        let history = History::default().next(7);
        Adoption { history, scope: "Main".into(), system: "starlette".into(), kept_until: LATER, state }
    }

    fn states() -> [AdoptionState; 3] {
        let key = AdoptionKey::new("Main", "starlette", "a cookie");
        [
            AdoptionState::Claimed { claim: [9; 16], lapses: LATER },
            AdoptionState::Adopted(key.seal(&Token::new(&OsRandom))),
            AdoptionState::Ended { at: LATER },
        ]
    }

    /// The bytes that are documented.
    #[test]
    fn a_note_has_these_bytes() {
        let bytes = note(AdoptionState::Ended { at: LATER }).to_bytes();
        let text = b"\x04Main\x09starlette";
        let expected = [&[3][..], &time(LATER), text, &time(LATER)].concat();
        assert_eq!((bytes[13], &bytes[FRONT..]), (b'a', &*expected));
    }

    #[test]
    fn a_note_is_read_as_it_is_written_and_not_otherwise() {
        for state in states() {
            let bytes = note(state).to_bytes();
            let read = Adoption::from_bytes(&bytes).unwrap();
            assert_eq!(read.to_bytes(), bytes);
            for length in 0..bytes.len() {
                assert!(Adoption::from_bytes(&bytes[..length]).is_err(), "{length} bytes");
            }
            assert!(Adoption::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
        }
        let mut unknown = note(states()[2]).to_bytes();
        unknown[FRONT] = 4;
        assert!(Adoption::from_bytes(&unknown).is_err());
    }

    #[test]
    fn a_token_opens_for_who_has_the_session_of_the_other_system() {
        let (key, token) = (AdoptionKey::new("Main", "starlette", "a cookie"), Token::new(&OsRandom));
        let sealed = key.seal(&token);
        assert_eq!(key.open(&sealed), Some(token.clone()));
        assert!(!format!("{sealed:?}").contains(&token.expose()));
        for (scope, system, id) in [
            ("Main", "starlette", "another"),
            ("Main", "flask", "a cookie"),
            ("Office", "starlette", "a cookie"),
            ("Main", "starlettea", " cookie"),
        ] {
            assert_eq!(AdoptionKey::new(scope, system, id).open(&sealed), None);
            assert!(AdoptionName::new(scope, system, id) != AdoptionName::new("Main", "starlette", "a cookie"));
        }
        for bit in 0..sealed.sealed.len() * 8 {
            let mut altered = sealed;
            altered.sealed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(key.open(&altered), None, "bit {bit}");
        }
    }
}
