//! One session as it is stored: a header and its fields, packed into one string of bytes.
//!
//! Here stands what a record is and what a delta makes of it, as pure functions. Nothing in this room knows stores,
//! requests, or the structs of an application.
//!
//! # The format, version 1
//!
//! Numbers are big-endian, times are seconds since the Unix epoch, a *slice* is its length as LEB128 and then its bytes.
//! The first 30 bytes stand at the same places in every version, and in every kind of entry:
//!
//! | at | length | what |
//! |---|---|---|
//! | 0 | 1 | the version of the format, from 1 to 31 |
//! | 1 | 8 | the revision: a counter (4) that wraps around, and a random number (4) |
//! | 9 | 4 | the generation: how often the secret was rotated; wraps around |
//! | 13 | 1 | the kind: `s` for a session, `l` for the list of the sessions of a user |
//! | 14 | 16 | the random numbers of the four revisions before, the newest first |
//!
//! A session goes on like this:
//!
//! | at | length | what |
//! |---|---|---|
//! | 30 | 5 | when it began |
//! | 35 | 4 | when its user proved who they are: seconds after the beginning plus one; 0 for an anonymous session |
//! | 39 | 4 | when it was last seen: seconds after the beginning |
//! | 43 | 4 | the idle deadline: seconds after the beginning |
//! | 47 | 4 | the absolute deadline: seconds after the beginning plus one; 0 for none |
//! | 51 | 4 | the seconds that a touch grants |
//! | 55 | 32 | SHA-256 of the name of the scope, a zero byte, and the secret |
//! | 87 | | parts: a tag (1) and a slice each, the user first, until a tag 0 |
//! | | | fields until the end: the key (slice), flags (1), the deadline (LEB128) if bit 1 is set, the value (slice) |
//!
//! | tag | ends with | part |
//! |---|---|---|
//! | `0x81` | another user | the id of the user |
//! | `0x02` | an authentication | the label of the device |
//! | `0x03` | an authentication | the methods of the login, with spaces between |
//! | `0x84` | another user | the id of the actor, if somebody acts as the user |
//! | `0x05` | an authentication | the stamp of the credentials (8 bytes) |
//! | `0x46` | a rotation | the secret before a renewal: its hash (32), the time of the renewal (5), its end (5) if it has one |
//! | `0x47` | a rotation | the last rotation: its time (5), the hash that it replaced (32), 1 if the owner stayed the same (1) |
//! | `0x49` | a rotation | the secret before it, if it still opens the session: its hash (32), its end (5), when its user had proved who they are (5, or 0), the methods of that |
//! | `0xc8` | nothing | the name of the scope, unless it is `Main` |
//!
//! The high two bits of a tag say what ends its part: 0 an authentication, 1 a rotation, 2 another user or actor, 3
//! nothing. Bit 0 of a field's flags says that it stays when another user logs in. Releases keep parts, flags and fields
//! that they do not know, and end them as these bits say.

use std::fmt;
use std::sync::Arc;

use crate::record::delta::ValueRef;
use crate::record::front::Unreadable;
use crate::record::header::Header;
use crate::record::packing::{Fields, read_header, write_field, write_header};
use crate::time::Timestamp;

pub(crate) mod apply;
pub(crate) mod credential_stamp;
pub(crate) mod delta;
pub(crate) mod details;
pub(crate) mod field_error;
pub(crate) mod front;
pub(crate) mod header;
pub(crate) mod list;
pub(crate) mod name;
pub(crate) mod packing;
pub(crate) mod parts;
pub(crate) mod reserved;
pub(crate) mod varint;

/// Everything that is stored of one session. Cheap to clone.
///
/// Operators and store authors read one from the bytes of an entry:
///
/// ```
/// # mod sessionkit { pub mod store { pub use sessionkit_core::*; } }
/// use sessionkit::store::{Record, Unreadable};
///
/// assert_eq!(Record::from_bytes(*b"not a record").unwrap_err(), Unreadable::Damaged);
/// ```
#[derive(Clone)]
pub struct Record {
    header: Header,
    packed: Arc<[u8]>,
    /// Where the fields begin in `packed`.
    start: usize,
}

impl Record {
    /// Makes a record without fields.
    pub fn new(header: Header) -> Self {
        Self::from_fields(header, [])
    }

    /// Makes a record from a header and fields.
    pub fn from_fields<'a>(header: Header, fields: impl IntoIterator<Item = (&'a str, ValueRef<'a>)>) -> Self {
        let mut draft = Draft::new(header, 256);
        for (key, value) in fields {
            write_field(&mut draft.packed, key, value);
        }
        draft.finish()
    }

    /// Reads a record from the bytes of an entry.
    ///
    /// # Errors
    /// Fails when the bytes are of a version that this release does not know, or no whole record.
    pub fn from_bytes(bytes: impl Into<Arc<[u8]>>) -> Result<Self, Unreadable> {
        let packed = bytes.into();
        let (header, fields) = read_header(&packed)?;
        if !Fields::of(fields).are_whole() {
            return Err(Unreadable::Damaged);
        }
        let start = packed.len() - fields.len();
        Ok(Self { header, packed, start })
    }

    /// Returns the record as bytes, for any process that knows the format.
    pub fn as_bytes(&self) -> &Arc<[u8]> {
        &self.packed
    }

    /// Returns the header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Returns the stored fields, those included whose time is up.
    pub fn fields(&self) -> Fields<'_> {
        Fields::of(&self.packed[self.start..])
    }

    /// Returns the value of a field, unless there is none or its time is up.
    pub fn field(&self, key: &str, now: Timestamp) -> Option<ValueRef<'_>> {
        self.fields().find(|(name, _)| *name == key).map(|(_, value)| value).filter(|value| value.is_live(now))
    }

    /// Returns the same fields under another header.
    pub(crate) fn with_header(&self, header: Header) -> Self {
        let mut draft = Draft::new(header, self.fields().as_bytes().len());
        draft.packed.extend_from_slice(self.fields().as_bytes());
        draft.finish()
    }

    /// Returns the record with the next revision.
    pub(crate) fn sealed(&self, random: u32) -> Self {
        let mut draft = Draft::new(self.header.clone(), self.fields().as_bytes().len());
        draft.packed.extend_from_slice(self.fields().as_bytes());
        draft.seal(random)
    }
}

/// Shows the header and the keys, never a value.
impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<&str> = self.fields().map(|(key, _)| name::shown(key)).collect();
        f.debug_struct("Record").field("header", &self.header).field("keys", &keys).finish()
    }
}

/// A record that is being written. It gets its revision last.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    header: Header,
    packed: Vec<u8>,
    start: usize,
}

impl Draft {
    /// Begins with the header, with room for fields of so many bytes.
    pub(crate) fn new(header: Header, fields: usize) -> Self {
        let mut packed = Vec::with_capacity(160 + fields);
        write_header(&mut packed, &header);
        let start = packed.len();
        Self { header, packed, start }
    }

    /// Gives the record the next revision.
    pub(crate) fn seal(mut self, random: u32) -> Record {
        self.header.history = self.header.history.next(random);
        self.header.history.write(&mut self.packed);
        self.finish()
    }

    /// Takes the record as it is, with the revision that it had.
    pub(crate) fn finish(self) -> Record {
        let Self { header, packed, start } = self;
        Record { header, packed: packed.into(), start }
    }
}

#[cfg(test)]
mod tests;
