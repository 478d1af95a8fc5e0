//! Reading and writing the fields of a [`SessionData`](crate::SessionData) struct.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use crate::data::codec::CodecError;
use crate::data::counter::Counting;
use crate::data::encoding::Encoding;
use crate::data::entries::{Itemizing, Items};
use crate::data::flash::Flashing;
use crate::data::{Field, Merge, OnError, SessionData};
use crate::record::field_error::FieldError;

/// The fields that are stored, for the request that reads them.
pub(crate) trait StoredFields {
    /// Returns the value of a field.
    fn field(&self, field: &Field) -> Option<&[u8]>;

    /// Returns the entries of a map or set. `moved` are those that are stored in one piece, and older than the others.
    fn entries<'s>(
        &'s self,
        field: &'s Field,
        moved: &mut dyn Iterator<Item = (&'s str, &'s [u8])>,
    ) -> BTreeMap<Cow<'s, str>, &'s [u8]>;
}

/// Hands out the fields of one struct, in the order of [`FIELDS`](crate::SessionData::FIELDS).
pub struct FieldReader<'a> {
    fields: std::slice::Iter<'static, Field>,
    stored: &'a dyn StoredFields,
    on_error: OnError,
    /// The fields that have their defaults because what is stored does not fit.
    unfit: Vec<&'static str>,
}

impl<'a> FieldReader<'a> {
    pub(crate) fn new<T: SessionData>(stored: &'a dyn StoredFields) -> Self {
        Self { fields: T::FIELDS.iter(), stored, on_error: T::ON_ERROR, unfit: Vec::new() }
    }

    pub(crate) fn into_unfit(self) -> Vec<&'static str> {
        self.unfit
    }

    /// Reads the next field, or makes its default where nothing is stored.
    ///
    /// # Errors
    /// Fails when the stored bytes are not a `T`, unless the struct's [`OnError`] is the default.
    pub fn read<T>(&mut self, encoding: Encoding<T>) -> Result<T, FieldError> {
        let (field, stored) = self.next();
        let value = stored.map(|bytes| (encoding.decode)(bytes));
        self.fitting(field, value, encoding.default)
    }

    /// Reads the next field as a counter, whose stored form is decimal text; an absent one is zero.
    ///
    /// # Errors
    /// Fails when the stored bytes are not an integer, unless the struct's [`OnError`] is the default.
    pub fn read_counter<T>(&mut self, counting: Counting<T>) -> Result<T, FieldError> {
        let (field, stored) = self.next();
        self.fitting(field, stored.map(counter), || 0).map(counting.saturating_from)
    }

    /// Reads the next field as a flash value; an absent one is empty.
    ///
    /// # Errors
    /// Fails when the stored bytes are not a `T`, unless the struct's [`OnError`] is the default.
    pub fn read_flash<T>(&mut self, flashing: Flashing<T>) -> Result<T, FieldError> {
        self.read(flashing.encoding)
    }

    /// Reads the next field entry by entry; an absent one is empty.
    ///
    /// # Errors
    /// Fails when a stored entry is not one of a `T`'s, unless the struct's [`OnError`] is the default: then it is left out.
    pub fn read_entries<T>(&mut self, itemizing: Itemizing<T>) -> Result<T, FieldError> {
        let (field, stored) = self.next();
        let moved = self.fitting(field, stored.map(itemizing.split), Items::default)?;
        let mut value = (itemizing.empty)();
        for (key, bytes) in self.stored.entries(field, &mut moved.iter()) {
            self.fitting(field, Some((itemizing.put)(&mut value, &key, bytes)), || ())?;
        }
        Ok(value)
    }

    /// The value that was read, or the default where there is none or where it may take the place of what does not fit.
    fn fitting<T>(
        &mut self,
        field: &'static Field,
        value: Option<Result<T, CodecError>>,
        default: impl FnOnce() -> T,
    ) -> Result<T, FieldError> {
        let Some(decoded) = value else { return Ok(default()) };
        let fitting = self.on_error.fit(decoded).map_err(|reason| FieldError::decode(field, reason))?;
        Ok(fitting.unwrap_or_else(|| {
            self.unfit.push(field.key);
            default()
        }))
    }

    fn next(&mut self) -> (&'static Field, Option<&'a [u8]>) {
        let field = self.fields.next().expect("`decode` reads each of FIELDS once");
        (field, self.stored.field(field))
    }
}

impl fmt::Debug for FieldReader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FieldReader").finish_non_exhaustive()
    }
}

/// Takes the fields of one struct, in the order of [`FIELDS`](crate::SessionData::FIELDS).
pub struct FieldWriter {
    declared: &'static [Field],
    /// The number of fields that were written.
    written: usize,
    encoded: Encoded,
    check: Check,
}

/// The values that are read back before they count as written.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Check {
    /// None: this is how the struct was.
    Nothing,
    /// Those that are not as they were.
    Changes,
    Everything,
}

impl FieldWriter {
    pub(crate) fn new(fields: &'static [Field]) -> Self {
        // Room for both encodings of a struct that changes.
        let (buffer, ends) = (Vec::with_capacity(256), Vec::with_capacity(2 * fields.len()));
        Self::make(fields, Encoded { buffer, ends, items: Vec::new() }, Check::Nothing)
    }

    /// Goes on behind the fields as they were. Values that changed are read back, so that none is stored that cannot be.
    pub(crate) fn after(fields: &'static [Field], encoded: Encoded) -> Self {
        Self::make(fields, encoded, Check::Changes)
    }

    /// Reads every value back.
    pub(crate) fn checked(fields: &'static [Field]) -> Self {
        Self { check: Check::Everything, ..Self::new(fields) }
    }

    fn make(declared: &'static [Field], encoded: Encoded, check: Check) -> Self {
        Self { declared, written: 0, encoded, check }
    }

    /// Writes the next field. A `null` that is the field's default is not stored.
    ///
    /// # Errors
    /// Fails when the value has no encoding, or changed to one that does not come back from it.
    pub fn write<T>(&mut self, value: &T, encoding: Encoding<T>) -> Result<(), FieldError> {
        let field = self.next();
        let start = self.encoded.buffer.len();
        let error = |reason| FieldError::encode(field, reason);
        (encoding.encode)(value, &mut self.encoded.buffer).map_err(error)?;
        let mut absent = false;
        if is_null(&self.encoded.buffer[start..]) {
            let end = self.encoded.buffer.len();
            (encoding.encode)(&(encoding.default)(), &mut self.encoded.buffer).map_err(error)?;
            absent = self.encoded.buffer[start..end] == self.encoded.buffer[end..];
            self.encoded.buffer.truncate(if absent { start } else { end });
        }
        self.read_back(value, encoding, start, absent)?;
        self.encoded.ends.push((self.encoded.buffer.len(), !absent));
        Ok(())
    }

    /// Writes the next field as a counter, whose stored form is decimal text.
    ///
    /// # Errors
    /// Never fails; the result keeps the calls uniform.
    pub fn write_counter<T>(&mut self, value: &T, counting: Counting<T>) -> Result<(), FieldError> {
        self.next();
        use std::io::Write as _;
        write!(self.encoded.buffer, "{}", (counting.to_i128)(value)).expect("writing to a vector cannot fail");
        self.encoded.ends.push((self.encoded.buffer.len(), true));
        Ok(())
    }

    /// Writes the next field as a flash value; an empty one is not stored.
    ///
    /// # Errors
    /// Fails when the value has no encoding, or changed to one that does not come back from it.
    pub fn write_flash<T>(&mut self, value: &T, flashing: Flashing<T>) -> Result<(), FieldError> {
        let field = self.next();
        let start = self.encoded.buffer.len();
        let present = !(flashing.is_empty)(value);
        if present {
            let encode = flashing.encoding.encode;
            encode(value, &mut self.encoded.buffer).map_err(|reason| FieldError::encode(field, reason))?;
            self.read_back(value, flashing.encoding, start, false)?;
        }
        self.encoded.ends.push((self.encoded.buffer.len(), present));
        Ok(())
    }

    /// Writes the next field entry by entry.
    ///
    /// # Errors
    /// Fails when an entry has no encoding, or changed to one that does not come back from it, and when two entries have
    /// the same key once they are encoded.
    pub fn write_entries<T>(&mut self, value: &T, itemizing: Itemizing<T>) -> Result<(), FieldError> {
        let field = self.next();
        let items = (itemizing.itemize)(value).map_err(|reason| FieldError::encode(field, reason))?;
        // An `entries` field has no three-way merge, so nothing else checks everything.
        if self.check != Check::Nothing {
            let fields = &self.declared[..self.written];
            let index = fields.iter().filter(|field| matches!(field.merge, Merge::Entries(_))).count() - 1;
            let before = &self.encoded.items[index];
            itemizing.read_back(value, before, &items).map_err(|reason| FieldError::lossy(field, reason))?;
        }
        self.encoded.items.push(items);
        self.encoded.ends.push((self.encoded.buffer.len(), false));
        Ok(())
    }

    pub(crate) fn finish(self) -> Encoded {
        self.encoded
    }

    /// Reads back the value that was written last, from `start` in the buffer on, if it is to be checked.
    fn read_back<T>(&self, value: &T, encoding: Encoding<T>, start: usize, absent: bool) -> Result<(), FieldError> {
        if self.check == Check::Nothing || (encoding.comes_back)() {
            return Ok(());
        }
        let stored = (!absent).then_some(&self.encoded.buffer[start..]);
        if self.check == Check::Changes && self.encoded.value(self.written - 1) == stored {
            // What is written as null may have changed without a trace.
            let has_nulls = stored.is_none_or(has_null) && (encoding.nulls)(value) > 0;
            if !has_nulls {
                return Ok(());
            }
        }
        let field = &self.declared[self.written - 1];
        encoding.read_back(value, stored).map_err(|reason| FieldError::lossy(field, reason))
    }

    fn next(&mut self) -> &'static Field {
        let field = self.declared.get(self.written).expect("`encode` writes each of FIELDS once");
        self.written += 1;
        field
    }
}

impl fmt::Debug for FieldWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FieldWriter").finish_non_exhaustive()
    }
}

/// The fields of one struct, encoded one after the other; of a struct that changes once as it was and once as it is.
pub(crate) struct Encoded {
    buffer: Vec<u8>,
    /// The end of each field in `buffer`, and `true` if the field has a value.
    ends: Vec<(usize, bool)>,
    /// The entries of each field that is stored entry by entry, and has no value besides.
    items: Vec<Items>,
}

impl Encoded {
    /// The bytes of each field, in order; `None` for one that is not stored.
    pub(crate) fn values(&self) -> impl Iterator<Item = Option<&[u8]>> {
        let mut start = 0;
        self.ends.iter().map(move |&(end, present)| {
            let value = &self.buffer[start..end];
            start = end;
            present.then_some(value)
        })
    }

    /// The bytes of one field as it was.
    fn value(&self, index: usize) -> Option<&[u8]> {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before].0);
        let (end, present) = self.ends[index];
        present.then(|| &self.buffer[start..end])
    }

    /// Returns the bytes of each field, before and after.
    pub(crate) fn changes(&self) -> impl Iterator<Item = (Option<&[u8]>, Option<&[u8]>)> {
        self.values().zip(self.values().skip(self.ends.len() / 2))
    }

    /// Returns the entries of each field that is stored entry by entry, before and after.
    pub(crate) fn item_changes(&self) -> impl Iterator<Item = (&Items, &Items)> {
        let (before, after) = self.items.split_at(self.items.len() / 2);
        before.iter().zip(after)
    }
}

/// The integer that a counter's stored bytes are.
///
/// # Errors
/// Fails when they are none.
pub(crate) fn counter(bytes: &[u8]) -> Result<i128, CodecError> {
    parse_counter(bytes).ok_or_else(|| "not an integer".into())
}

/// The integer that a counter's stored bytes are, if they are one.
pub(crate) fn parse_counter(bytes: &[u8]) -> Option<i128> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

/// Returns whether JSON's null may be somewhere in an encoded value, or MessagePack's nil, which no text contains.
pub(crate) fn has_null(bytes: &[u8]) -> bool {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.contains("null"),
        Err(_) => bytes.contains(&0xc0),
    }
}

/// JSON's null, and MessagePack's nil.
pub(crate) fn is_null(bytes: &[u8]) -> bool {
    bytes == b"null" || bytes == [0xc0]
}
