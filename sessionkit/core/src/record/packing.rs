//! The packing of a record into bytes: the front, the header, its parts, then the fields one after the other.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::record::delta::{FieldDeadline, OnLogin, ValueRef};
use crate::record::front::{self, EntryKind, FRONT, Unreadable};
use crate::record::header::{FIXED, Header};
use crate::record::name;
use crate::record::parts::{self, read_parts, write_parts};
use crate::record::varint::{read_number, read_slice, write_number, write_slice};
use crate::time::Timestamp;

const CARRIED: u8 = 1;
const DEADLINE: u8 = 2;
const SENSITIVE: u8 = 4;
const KEPT_AT_LOGIN: u8 = 8;
const DISCARDED_AT_LOGIN: u8 = 16;
const ENCRYPTED: u8 = 32;

/// Iterates over the fields of a [`Record`](crate::Record).
#[derive(Clone)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(crate) fn of(packed: &'a [u8]) -> Self {
        Self { rest: packed }
    }

    /// Checks that there is nothing but fields; returns the latest time at which one was granted a deadline.
    pub(crate) fn check(mut self) -> Option<Timestamp> {
        // Most keys are ASCII, which is checked faster.
        let is_text = |key: &[u8]| key.is_ascii() || str::from_utf8(key).is_ok();
        let mut granted = Timestamp::default();
        while let Some((key, value)) = self.read_bytes() {
            if !is_text(key) {
                return None;
            }
            if let Some(deadline) = value.deadline {
                granted = granted.max(deadline.granted());
            }
        }
        self.rest.is_empty().then_some(granted)
    }

    /// Returns the packed fields.
    pub(crate) fn as_bytes(&self) -> &'a [u8] {
        self.rest
    }

    /// Returns the value of a field.
    pub(crate) fn value(mut self, key: &str) -> Option<ValueRef<'a>> {
        self.find(key)
    }

    /// Returns the value of a field, which is looked for behind a place first, where the last one was found. Structs are
    /// read in the order in which they are stored: so each field is met once.
    pub(crate) fn value_near(self, key: &str, place: &Cell<usize>) -> Option<ValueRef<'a>> {
        let (before, behind) = self.rest.split_at_checked(place.get()).unwrap_or((self.rest, &[]));
        let mut fields = Self { rest: behind };
        if let Some(value) = fields.find(key) {
            place.set(self.rest.len() - fields.rest.len());
            return Some(value);
        }
        Self { rest: before }.value(key)
    }

    /// Reads on until behind a field.
    fn find(&mut self, key: &str) -> Option<ValueRef<'a>> {
        loop {
            let (name, value) = self.read_bytes()?;
            if name == key.as_bytes() {
                return Some(value);
            }
        }
    }

    /// Returns the fields once more, each with the bytes that it is packed into. Keys are bytes here: it is known that they
    /// are text.
    pub(crate) fn packed(mut self) -> impl Iterator<Item = (&'a [u8], ValueRef<'a>, &'a [u8])> {
        std::iter::from_fn(move || {
            let before = self.rest;
            let (key, value) = self.read_bytes()?;
            Some((key, value, &before[..before.len() - self.rest.len()]))
        })
    }

    /// Reads the next field; leaves `rest` as it is if there is none, or if its key is no text.
    fn read(&mut self) -> Option<(&'a str, ValueRef<'a>)> {
        let before = self.rest;
        let (key, value) = self.read_bytes()?;
        let key = str::from_utf8(key).ok();
        if key.is_none() {
            self.rest = before;
        }
        Some((key?, value))
    }

    #[inline]
    fn read_bytes(&mut self) -> Option<(&'a [u8], ValueRef<'a>)> {
        let mut rest = self.rest;
        let key = read_slice(&mut rest)?;
        let (&flags, after) = rest.split_first()?;
        rest = after;
        let deadline = match flags & DEADLINE {
            0 => None,
            _ => Some(read_deadline(&mut rest)?),
        };
        let bytes = read_slice(&mut rest)?;
        self.rest = rest;
        let (carried, sensitive) = (flags & CARRIED != 0, flags & SENSITIVE != 0);
        let encrypted = flags & ENCRYPTED != 0;
        let on_login = match flags & (KEPT_AT_LOGIN | DISCARDED_AT_LOGIN) {
            0 => None,
            KEPT_AT_LOGIN => Some(OnLogin::Keep),
            _ => Some(OnLogin::Discard),
        };
        Some((key, ValueRef { bytes, carried, deadline, sensitive, encrypted, on_login }))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a str, ValueRef<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        self.read()
    }
}

impl fmt::Debug for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone().map(|(key, _)| name::shown(key))).finish()
    }
}

fn read_deadline(rest: &mut &[u8]) -> Option<FieldDeadline> {
    let at = Timestamp::from_unix_seconds(read_number(rest)?);
    Some(FieldDeadline { at, ttl: Duration::from_secs(read_number(rest)?) })
}

/// Returns what a field counts against the size limit, in bytes.
pub(crate) fn field_size(key: &[u8], value: ValueRef<'_>) -> usize {
    key.len() + value.bytes.len() + 2 + if value.deadline.is_some() { 8 } else { 0 }
}

/// Reads the header of a packed record; what is left are the fields.
pub(crate) fn read_header(packed: &[u8]) -> Result<(Arc<Header>, &[u8]), Unreadable> {
    let (generation, _) = front::read_front(packed, EntryKind::Session)?;
    let (fixed, mut rest) = packed[FRONT..].split_first_chunk::<FIXED>().ok_or(Unreadable::Damaged)?;
    let mut header = Arc::new(Header::read_fixed(fixed, generation));
    // Nobody else has it yet: it is read where it stays.
    read_parts(&mut rest, Arc::make_mut(&mut header)).ok_or(Unreadable::Damaged)?;
    Ok((header, rest))
}

/// Returns whether a packed record has a user. The id of the user stands first among the parts of a header.
pub(crate) fn has_user(packed: &[u8]) -> bool {
    packed.get(FRONT + FIXED) == Some(&parts::USER)
}

/// Writes the header of a record that has no revision yet.
pub(crate) fn write_header(packed: &mut Vec<u8>, header: &Header) {
    let stored = header.as_stored();
    let header = stored.as_ref().unwrap_or(header);
    front::write_front(packed, EntryKind::Session, header.generation);
    header.write_fixed(packed);
    write_parts(packed, header);
}

pub(crate) fn write_field(packed: &mut Vec<u8>, key: &str, value: ValueRef<'_>) {
    write_slice(packed, key.as_bytes());
    let flags = [
        (value.carried, CARRIED),
        (value.deadline.is_some(), DEADLINE),
        (value.sensitive, SENSITIVE),
        (value.encrypted, ENCRYPTED),
        (value.on_login == Some(OnLogin::Keep), KEPT_AT_LOGIN),
        (value.on_login == Some(OnLogin::Discard), DISCARDED_AT_LOGIN),
    ];
    packed.push(flags.iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| flag).sum());
    if let Some(deadline) = value.deadline {
        write_number(packed, deadline.at.unix_seconds());
        write_number(packed, deadline.ttl.as_secs());
    }
    write_slice(packed, value.bytes);
}

/// Copies a packed field that has a deadline, and ends at another time from now on. Its flags stay, those of later releases included.
pub(crate) fn write_field_until(packed: &mut Vec<u8>, field: &[u8], deadline: Timestamp) {
    let mut rest = field;
    let _ = read_slice(&mut rest);
    let (key_and_flags, mut rest) = field.split_at(field.len() - rest.len() + 1);
    let _ = read_number(&mut rest);
    packed.extend_from_slice(key_and_flags);
    write_number(packed, deadline.unix_seconds());
    packed.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::delta::StoredValue;

    /// Packs fields whose values are the numbers of their places.
    fn packed(keys: &[&str]) -> Vec<u8> {
        let mut packed = Vec::new();
        for (at, key) in keys.iter().enumerate() {
            write_field(&mut packed, key, StoredValue::new([at as u8]).as_ref());
        }
        packed
    }

    #[test]
    fn a_field_is_found_from_every_place_and_in_every_order() {
        let keys = ["a", "bb", "a.b", "", "é", "c"];
        let bytes = packed(&keys);
        let fields = Fields::of(&bytes);
        for first in keys.iter().chain(&["nowhere"]) {
            for second in keys {
                for third in keys {
                    let place = Cell::new(0);
                    for key in [first, second, third, third, "nowhere", second] {
                        let found = fields.clone().value_near(key, &place).map(|value| value.bytes);
                        assert_eq!(found, fields.clone().value(key).map(|value| value.bytes), "{first} {second} {key}");
                    }
                }
            }
        }
    }

    #[test]
    fn fields_that_are_read_in_their_order_are_met_once() {
        let keys = ["a", "b", "c"];
        let bytes = packed(&keys);
        let (place, mut behind) = (Cell::new(0), 0);
        for key in keys {
            assert!(Fields::of(&bytes).value_near(key, &place).is_some());
            behind += packed(&[key]).len();
            assert_eq!(place.get(), behind, "{key}: the next one is looked for behind it");
        }
        assert!(Fields::of(&bytes).value_near("nowhere", &place).is_none());
        assert!(Fields::of(&bytes).value_near("b", &place).is_some());
        assert_eq!(place.get(), behind, "what is not found behind the place leaves it");
    }

    #[test]
    fn of_a_key_that_is_there_twice_the_first_value_counts_for_a_first_reader() {
        let bytes = packed(&["a", "b", "a"]);
        let fields = Fields::of(&bytes);
        assert_eq!(fields.clone().value_near("a", &Cell::new(0)).map(|value| value.bytes), Some(&[0][..]));
        assert_eq!(fields.clone().value("a").map(|value| value.bytes), Some(&[0][..]));
        // A place of another record, or beyond the end, finds it too.
        for place in [bytes.len(), bytes.len() + 1, usize::MAX] {
            assert_eq!(fields.clone().value_near("b", &Cell::new(place)).map(|value| value.bytes), Some(&[1][..]));
        }
    }
}
