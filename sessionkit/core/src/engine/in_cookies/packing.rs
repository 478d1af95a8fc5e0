//! The bytes that are sealed into a cookie: a session's token, epoch and record.
//!
//! | bytes | |
//! |---|---|
//! | 48 | the token: id and secret |
//! | 8 | the epoch of the user at the login |
//! | 8 | the name of the login |
//! | n | the record as a store would have it, without the hash of the secret, which the token gives |

use super::{LOGIN_NAME, LoginMark};
use crate::engine::document::Document as _;
use crate::record::Record;
use crate::record::front::{FRONT, Unreadable};
use crate::record::header::FIXED;
use crate::record::list::ListEpoch;
use crate::store::entry::Entry;
use crate::token::{TOKEN, Token};

const HASH: usize = 32;
const HASH_AT: usize = FRONT + FIXED - HASH;

/// A session as a cookie holds it.
pub(super) struct Packed {
    pub(super) token: Token,
    pub(super) mark: LoginMark,
    /// The record, or what a later release has made of it: such a session is waited for, and never taken for none.
    pub(super) entry: Entry,
}

/// Packs a session, whose record has the hash of this token's secret.
pub(super) fn pack(token: &Token, mark: LoginMark, record: &Record) -> Vec<u8> {
    let bytes = record.as_bytes();
    let mut packed = Vec::with_capacity(TOKEN + 8 + LOGIN_NAME + bytes.len() - HASH);
    packed.extend_from_slice(&token.to_bytes());
    packed.extend_from_slice(&mark.epoch.0);
    packed.extend_from_slice(&mark.name);
    packed.extend_from_slice(&bytes[..HASH_AT]);
    packed.extend_from_slice(&bytes[HASH_AT + HASH..]);
    packed
}

/// Reads a session of this scope; `None` if it is damaged, or of another one.
pub(super) fn unpack(packed: &[u8], scope: &str) -> Option<Packed> {
    let (token, rest) = packed.split_first_chunk::<TOKEN>()?;
    let (epoch, rest) = rest.split_first_chunk::<8>()?;
    let (name, rest) = rest.split_first_chunk::<LOGIN_NAME>()?;
    let token = Token::from_bytes(token);
    let (before, after) = rest.split_at_checked(HASH_AT)?;
    let entry = Entry::from_bytes([before, token.secret_hash(scope).as_bytes(), after].concat());
    match Record::read(&entry) {
        Ok(record) if record.header().scope == scope => {}
        Err(Unreadable::UnknownVersion(_)) => {}
        Ok(_) | Err(Unreadable::Damaged) => return None,
    }
    Some(Packed { token, mark: LoginMark { epoch: ListEpoch(*epoch), name: *name }, entry })
}
