//! One session as it is stored: a header and its fields, packed into one string of bytes.
//!
//! Here stands what a record is and what a delta makes of it, as pure functions. Nothing in this room knows stores,
//! requests, or the structs of an application.
//!
//! The format is described byte by byte in the guide of `sessionkit`, on the page `writing_a_store`
//! (`sessionkit/src/guide/stored_bytes.md`). Change both together; `tests.rs` has fixed bytes.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

use crate::record::clock::is_ahead;
use crate::record::delta::ValueRef;
use crate::record::front::{History, Revision, Unreadable};
use crate::record::header::Header;
use crate::record::packing::{Fields, read_header, write_field, write_header};
use crate::time::Timestamp;

pub(crate) mod adoption;
pub(crate) mod apply;
pub(crate) mod clock;
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
    header: Arc<Header>,
    packed: Arc<[u8]>,
    /// The offset in `packed` at which the fields begin.
    start: usize,
    /// The latest time at which a field was granted a deadline.
    granted: Timestamp,
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
            draft.granted = draft.granted.max(value.granted());
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
        let granted = Fields::of(fields).check().ok_or(Unreadable::Damaged)?;
        let start = packed.len() - fields.len();
        Ok(Self { header, packed, start, granted })
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
        self.fields().value(key).filter(|value| value.is_live(now))
    }

    /// Returns the value of a field as [`field`](Self::field) does, and remembers its place for the next one.
    pub(crate) fn field_near(&self, key: &str, now: Timestamp, place: &Cell<usize>) -> Option<ValueRef<'_>> {
        self.fields().value_near(key, place).filter(|value| value.is_live(now))
    }

    /// Returns the revision: new at every write.
    pub fn revision(&self) -> Revision {
        self.history().revision
    }

    pub(crate) fn history(&self) -> History {
        History::of(&self.packed)
    }

    /// Returns whether a clock that is ahead granted a field its deadline.
    pub(crate) fn has_field_ahead(&self, now: Timestamp) -> bool {
        is_ahead(self.granted, now)
    }

    /// Returns the record with its header as a server sees it that is behind. The bytes stay.
    pub(crate) fn shown_as(self, header: Header) -> Self {
        Self { header: Arc::new(header), ..self }
    }

    /// Returns the same fields under another header.
    pub(crate) fn with_header(&self, header: Header) -> Self {
        self.draft_of_all(Some(header)).finish()
    }

    /// Returns the record with the next revision.
    pub(crate) fn sealed(&self, random: u32) -> Self {
        self.draft_of_all(None).seal(random)
    }

    /// Begins the record that comes after this one, under its header or another one, with room for fields of so many
    /// bytes. A header that stays is copied as it is packed: in the version that this release writes, since it reads no
    /// other.
    pub(crate) fn draft(&self, header: Option<Header>, fields: usize) -> Draft {
        let Some(header) = header else {
            let mut packed = Vec::with_capacity(self.start + fields);
            packed.extend_from_slice(&self.packed[..self.start]);
            return Draft { header: self.header.clone(), packed, start: self.start, granted: Timestamp::default() };
        };
        let mut draft = Draft::new(header, fields);
        self.history().write(&mut draft.packed);
        draft
    }

    /// Begins the record that comes after this one, with all of its fields.
    pub(crate) fn draft_of_all(&self, header: Option<Header>) -> Draft {
        let fields = &self.packed[self.start..];
        let mut draft = self.draft(header, fields.len());
        draft.packed.extend_from_slice(fields);
        draft.granted = self.granted;
        draft
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
    header: Arc<Header>,
    packed: Vec<u8>,
    start: usize,
    /// The latest time at which a field was granted a deadline.
    granted: Timestamp,
}

impl Draft {
    /// Begins a record that has no revision yet, with room for fields of so many bytes.
    fn new(header: Header, fields: usize) -> Self {
        let mut packed = Vec::with_capacity(160 + fields);
        write_header(&mut packed, &header);
        let start = packed.len();
        Self { header: Arc::new(header), packed, start, granted: Timestamp::default() }
    }

    /// Gives the record the next revision.
    pub(crate) fn seal(mut self, random: u32) -> Record {
        History::of(&self.packed).next(random).write(&mut self.packed);
        self.finish()
    }

    /// Takes the record as it is, with the revision that it had.
    pub(crate) fn finish(self) -> Record {
        let Self { header, packed, start, granted } = self;
        Record { header, packed: packed.into(), start, granted }
    }
}

#[cfg(test)]
mod tests;
