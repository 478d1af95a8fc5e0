//! How a record is packed into bytes.

use std::fmt;

use crate::record::Record;
use crate::record::delta::ValueRef;
use crate::record::details::LoginDetails;
use crate::record::header::{Header, PACKED_HEADER, PreviousSecret};
use crate::record::name;
use crate::time::Timestamp;
use crate::token::SecretHash;

const CARRIED: u8 = 1;
const DEADLINE: u8 = 2;

const USER: u8 = 1;
const LABEL: u8 = 2;
const PREVIOUS: u8 = 4;
const DETAILS: u8 = 8;

/// Packs a record for this process.
pub(crate) struct Packer {
    header: Header,
    packed: Vec<u8>,
    start: usize,
}

impl Packer {
    /// Begins with the header, with room for fields of so many bytes.
    pub(crate) fn new(header: Header, fields: usize) -> Self {
        let mut packed = Vec::with_capacity(PACKED_HEADER + 64 + fields);
        write_header(&mut packed, &header);
        let start = packed.len();
        Self { header, packed, start }
    }

    /// Takes over fields as another record packed them.
    pub(crate) fn keep(&mut self, fields: &[u8]) {
        self.packed.extend_from_slice(fields);
    }

    /// Adds a field.
    pub(crate) fn write(&mut self, key: &str, value: ValueRef<'_>) {
        write_field(&mut self.packed, key, value, name::number(key));
    }

    pub(crate) fn finish(self) -> Record {
        Record::from_packed(self.header, self.packed.into(), self.start)
    }
}

/// Iterates over the fields of a [`Record`].
#[derive(Clone)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(crate) fn of(packed: &'a [u8]) -> Self {
        Self { rest: packed }
    }

    /// Whether there is nothing but fields.
    pub(crate) fn are_whole(mut self) -> bool {
        while self.read().is_some() {}
        self.rest.is_empty()
    }

    /// How many bytes they are packed into.
    pub(crate) fn size(&self) -> usize {
        self.rest.len()
    }

    /// The fields once more, each with the bytes that it is packed into.
    pub(crate) fn packed(mut self) -> impl Iterator<Item = (&'a str, ValueRef<'a>, &'a [u8])> {
        std::iter::from_fn(move || {
            let before = self.rest;
            let (key, value) = self.read()?;
            Some((key, value, &before[..before.len() - self.rest.len()]))
        })
    }

    /// Reads the next field; leaves `rest` as it is where there is none.
    fn read(&mut self) -> Option<(&'a str, ValueRef<'a>)> {
        let mut rest = self.rest;
        let number = usize::try_from(read_number(&mut rest)?).ok()?;
        // An odd number is the length of a name that follows, an even one twice the number of an interned name.
        let key = if number % 2 == 1 {
            let (key, after) = rest.split_at_checked(number / 2)?;
            rest = after;
            std::str::from_utf8(key).ok()?
        } else {
            name::name(number / 2)?
        };
        let (&flags, after) = rest.split_first()?;
        rest = after;
        let deadline = match flags & DEADLINE {
            0 => None,
            _ => Some(Timestamp::from_unix_seconds(read_number(&mut rest)?)),
        };
        let bytes = read_slice(&mut rest)?;
        self.rest = rest;
        Some((key, ValueRef { bytes, carried: flags & CARRIED != 0, deadline }))
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

/// What a field counts against the size limit.
pub(crate) fn field_size(key: &str, value: ValueRef<'_>) -> usize {
    key.len() + value.bytes.len() + 2 + if value.deadline.is_some() { 5 } else { 0 }
}

/// Reads the header of a packed record; what is left are the fields.
pub(crate) fn read_header(packed: &[u8]) -> Option<(Header, &[u8])> {
    let (fixed, rest) = packed.split_at_checked(PACKED_HEADER)?;
    let mut header = Header::unpack(fixed)?;
    let (&has, mut rest) = rest.split_first()?;
    let mut text = |flag: u8| match has & flag {
        0 => Some(None),
        _ => std::str::from_utf8(read_slice(&mut rest)?).ok().map(|text| Some(text.into())),
    };
    (header.user, header.device_label) = (text(USER)?, text(LABEL)?);
    if has & DETAILS != 0 {
        header.details = LoginDetails::unpack(read_slice(&mut rest)?)?.shared();
    }
    if has & PREVIOUS != 0 {
        let (secret, after) = rest.split_first_chunk::<32>()?;
        rest = after;
        let renewed = Timestamp::from_unix_seconds(read_number(&mut rest)?);
        let until = read_number(&mut rest)?.checked_sub(1).map(Timestamp::from_unix_seconds);
        header.previous = Some(PreviousSecret { secret: SecretHash::from_bytes(*secret), renewed, until });
    }
    Some((header, rest))
}

/// Of a packed record: when it ends, and whether it has a user.
pub(crate) fn end(packed: &[u8]) -> Option<(Timestamp, bool)> {
    let (fixed, rest) = packed.split_at_checked(PACKED_HEADER)?;
    Some((Header::unpack(fixed)?.deadline(), rest.first()? & USER != 0))
}

pub(crate) fn write_header(packed: &mut Vec<u8>, header: &Header) {
    packed.extend_from_slice(&header.pack());
    packed.push(
        if header.user.is_some() { USER } else { 0 }
            | if header.device_label.is_some() { LABEL } else { 0 }
            | if header.previous.is_some() { PREVIOUS } else { 0 }
            | if header.details.is_some() { DETAILS } else { 0 },
    );
    for text in [&header.user, &header.device_label].into_iter().flatten() {
        write_slice(packed, text.as_bytes());
    }
    if let Some(details) = &header.details {
        write_slice(packed, &details.pack());
    }
    if let Some(previous) = &header.previous {
        packed.extend_from_slice(previous.secret.as_bytes());
        write_number(packed, previous.renewed.unix_seconds());
        write_number(packed, previous.until.map_or(0, |until| until.unix_seconds().saturating_add(1)));
    }
}

/// Writes a field under the number of its name, or under its name.
pub(crate) fn write_field(packed: &mut Vec<u8>, key: &str, value: ValueRef<'_>, number: Option<usize>) {
    match number {
        Some(number) => write_number(packed, number as u64 * 2),
        None => {
            write_number(packed, key.len() as u64 * 2 + 1);
            packed.extend_from_slice(key.as_bytes());
        }
    }
    packed.push(if value.carried { CARRIED } else { 0 } | if value.deadline.is_some() { DEADLINE } else { 0 });
    if let Some(deadline) = value.deadline {
        write_number(packed, deadline.unix_seconds());
    }
    write_slice(packed, value.bytes);
}

pub(crate) fn write_slice(packed: &mut Vec<u8>, bytes: &[u8]) {
    write_number(packed, bytes.len() as u64);
    packed.extend_from_slice(bytes);
}

pub(crate) fn read_slice<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(read_number(rest)?).ok()?;
    let (slice, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(slice)
}

/// Writes a number in groups of seven bits, the least first.
fn write_number(packed: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        packed.push(number as u8 | 0x80);
        number >>= 7;
    }
    packed.push(number as u8);
}

fn read_number(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}
