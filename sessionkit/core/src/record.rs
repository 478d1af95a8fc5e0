//! One session as the store keeps it: a header, and its fields packed into one allocation.

use std::fmt;
use std::sync::Arc;

use crate::delta::ValueRef;
use crate::header::{Header, PACKED_HEADER, Previous};
use crate::name;
use crate::time::Timestamp;
use crate::token::SecretHash;

const CARRIED: u8 = 1;
const DEADLINE: u8 = 2;

const USER: u8 = 1;
const LABEL: u8 = 2;
const PREVIOUS: u8 = 4;

/// Everything that is stored of one session. Cheap to clone.
#[derive(Clone)]
pub struct Record {
    header: Header,
    packed: Arc<[u8]>,
    /// Where the fields begin in `packed`.
    start: usize,
    /// Whether what comes before them is this very header.
    whole: bool,
}

impl Record {
    /// Makes a record without fields.
    pub fn new(header: Header) -> Self {
        Self { header, packed: Arc::new([]), start: 0, whole: false }
    }

    /// Makes a record from a header and fields, as a store read them.
    pub fn from_fields<'a>(header: Header, fields: impl IntoIterator<Item = (&'a str, ValueRef<'a>)>) -> Self {
        let mut packer = Packer::new(header, 256);
        for (key, value) in fields {
            packer.write(key, value);
        }
        packer.finish()
    }

    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    pub(crate) fn header_mut(&mut self) -> &mut Header {
        self.whole = false;
        &mut self.header
    }

    /// The fields that are stored, those included whose time is up.
    pub fn fields(&self) -> Fields<'_> {
        Fields { rest: &self.packed[self.start..] }
    }

    /// The value of a field, unless there is none or its time is up.
    pub fn field(&self, key: &str, now: Timestamp) -> Option<ValueRef<'_>> {
        self.fields().find(|(name, _)| *name == key).map(|(_, value)| value).filter(|value| value.is_live(now))
    }

    /// The size that counts against the limit: of every field whose time is not up its key, its value and its flags, in
    /// bytes.
    pub(crate) fn live_size(&self, now: Timestamp) -> usize {
        let live = self.fields().filter(|(_, value)| value.is_live(now));
        live.map(|(key, value)| field_size(key, value)).sum()
    }

    /// Writes the whole record into bytes that any process can read.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut packed = Vec::with_capacity(PACKED_HEADER + 64 + self.packed.len());
        write_header(&mut packed, &self.header);
        for (key, value) in self.fields() {
            write_field(&mut packed, key, value, None);
        }
        packed
    }

    /// Reads a record that [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// Returns `None` for bytes that are not a record.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Self::unpack(bytes.into())
    }

    /// The whole record, for this process alone: the names of its fields may be interned.
    pub(crate) fn packed(&self) -> Arc<[u8]> {
        if self.whole {
            return self.packed.clone();
        }
        let fields = &self.packed[self.start..];
        let mut packer = Packer::new(self.header.clone(), fields.len());
        packer.keep(fields);
        packer.finish().packed
    }

    /// Reads a packed record without copying its fields.
    pub(crate) fn unpack(packed: Arc<[u8]>) -> Option<Self> {
        let record = Self::unpack_own(packed)?;
        let mut fields = record.fields();
        while fields.read().is_some() {}
        fields.rest.is_empty().then_some(record)
    }

    /// Reads what [`packed`](Self::packed) gave; the fields need no look.
    pub(crate) fn unpack_own(packed: Arc<[u8]>) -> Option<Self> {
        let mut rest = packed.get(PACKED_HEADER..)?;
        let mut header = Header::unpack(&packed[..PACKED_HEADER])?;
        let (&has, after) = rest.split_first()?;
        rest = after;
        if has & USER != 0 {
            header.user = Some(std::str::from_utf8(read_slice(&mut rest)?).ok()?.into());
        }
        if has & LABEL != 0 {
            header.label = Some(std::str::from_utf8(read_slice(&mut rest)?).ok()?.into());
        }
        if has & PREVIOUS != 0 {
            let (secret, after) = rest.split_first_chunk::<32>()?;
            rest = after;
            let renewed = Timestamp::from_unix_seconds(read_number(&mut rest)?);
            let until = read_number(&mut rest)?.checked_sub(1).map(Timestamp::from_unix_seconds);
            header.previous = Some(Previous { secret: SecretHash::from_bytes(*secret), renewed, until });
        }
        let start = packed.len() - rest.len();
        Some(Self { header, packed, start, whole: true })
    }

    /// Of a packed record: when it ends, and whether it has a user.
    pub(crate) fn end_of(packed: &[u8]) -> Option<(Timestamp, bool)> {
        let header = Header::unpack(packed.get(..PACKED_HEADER)?)?;
        Some((header.deadline(), packed.get(PACKED_HEADER)? & USER != 0))
    }
}

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
        Record { header: self.header, packed: self.packed.into(), start: self.start, whole: true }
    }
}

/// Shows the header and the keys, never a value.
impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<&str> = self.fields().map(|(key, _)| name::shown(key)).collect();
        f.debug_struct("Record").field("header", &self.header).field("keys", &keys).finish()
    }
}

/// Iterates over the fields of a [`Record`].
#[derive(Clone)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
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

fn write_header(packed: &mut Vec<u8>, header: &Header) {
    packed.extend_from_slice(&header.pack());
    packed.push(
        if header.user.is_some() { USER } else { 0 }
            | if header.label.is_some() { LABEL } else { 0 }
            | if header.previous.is_some() { PREVIOUS } else { 0 },
    );
    for text in [&header.user, &header.label].into_iter().flatten() {
        write_slice(packed, text.as_bytes());
    }
    if let Some(previous) = &header.previous {
        packed.extend_from_slice(previous.secret.as_bytes());
        write_number(packed, previous.renewed.unix_seconds());
        write_number(packed, previous.until.map_or(0, |until| until.unix_seconds().saturating_add(1)));
    }
}

fn write_field(packed: &mut Vec<u8>, key: &str, value: ValueRef<'_>, number: Option<usize>) {
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

fn write_slice(packed: &mut Vec<u8>, bytes: &[u8]) {
    write_number(packed, bytes.len() as u64);
    packed.extend_from_slice(bytes);
}

fn read_slice<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::delta::StoredValue;

    fn record() -> Record {
        let now = Timestamp::from_unix_seconds(1_700_000_000);
        let mut header = Header::new(SecretHash::from_bytes([1; 32]), now, Duration::from_secs(60), None);
        header.user = Some("ada".into());
        header.label = Some("laptop".into());
        header.previous = Some(Previous { secret: SecretHash::from_bytes([2; 32]), renewed: now, until: Some(now) });
        let mut code = StoredValue::new("123");
        code.carried = true;
        code.deadline = Some(now);
        let items = StoredValue::new(vec![b'1'; 300]);
        Record::from_fields(header, [("cart.items", items.as_ref()), ("cart.code", code.as_ref())])
    }

    #[test]
    fn bytes_hold_the_whole_record() {
        let record = record();
        for bytes in [record.to_bytes(), record.packed().to_vec()] {
            let read = Record::from_bytes(&bytes).unwrap();
            assert_eq!(format!("{:?}", read.header()), format!("{:?}", record.header()));
            assert!(read.fields().eq(record.fields()));
            assert_eq!(read.fields().count(), 2);
        }
        assert!(record.packed().len() < record.to_bytes().len());
    }

    #[test]
    fn torn_bytes_are_not_a_record() {
        let bytes = record().to_bytes();
        let whole = record().fields().count();
        for end in 0..bytes.len() {
            // A cut between two fields is a shorter record: stores that can tear frame their bytes.
            let read = Record::from_bytes(&bytes[..end]);
            assert!(read.is_none_or(|read| read.fields().count() < whole), "{end}");
        }
    }

    #[test]
    fn a_field_whose_time_is_up_is_not_returned() {
        let record = record();
        let now = Timestamp::from_unix_seconds(1_700_000_000);
        assert!(record.field("cart.code", now).is_none());
        assert!(record.field("cart.code", Timestamp::from_unix_seconds(1_699_999_999)).is_some());
    }
}
