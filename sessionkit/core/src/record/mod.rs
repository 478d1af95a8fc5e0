//! One session as the store keeps it: a header, and its fields packed into one allocation.

use std::fmt;
use std::sync::Arc;

use crate::record::delta::ValueRef;
use crate::record::header::{Header, PACKED_HEADER};
use crate::record::packing::{Fields, Packer, field_size, write_field, write_header};
use crate::time::Timestamp;

pub(crate) mod apply;
pub(crate) mod credential_stamp;
pub(crate) mod delta;
pub(crate) mod details;
pub(crate) mod header;
pub(crate) mod name;
pub(crate) mod packing;
pub(crate) mod reserved;

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

    /// Takes what is packed: from `start` on the fields, and before them this header.
    pub(crate) fn from_packed(header: Header, packed: Arc<[u8]>, start: usize) -> Self {
        Self { header, packed, start, whole: true }
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
        Fields::of(&self.packed[self.start..])
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
        record.fields().are_whole().then_some(record)
    }

    /// Reads what [`packed`](Self::packed) gave; the fields need no look.
    pub(crate) fn unpack_own(packed: Arc<[u8]>) -> Option<Self> {
        let (header, fields) = packing::read_header(&packed)?;
        let start = packed.len() - fields.len();
        Some(Self::from_packed(header, packed, start))
    }
}

/// Shows the header and the keys, never a value.
impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<&str> = self.fields().map(|(key, _)| name::shown(key)).collect();
        f.debug_struct("Record").field("header", &self.header).field("keys", &keys).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::record::delta::StoredValue;
    use crate::record::details::LoginDetails;
    use crate::record::header::PreviousSecret;
    use crate::token::SecretHash;

    fn record() -> Record {
        let now = Timestamp::from_unix_seconds(1_700_000_000);
        let mut header = Header::new(SecretHash::from_bytes([1; 32]), now, Duration::from_secs(60), None);
        header.user = Some("ada".into());
        header.device_label = Some("laptop".into());
        header.details =
            LoginDetails { methods: vec!["pwd".into()], actor: Some("grace".into()), stamp: None }.shared();
        header.previous =
            Some(PreviousSecret { secret: SecretHash::from_bytes([2; 32]), renewed: now, until: Some(now) });
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
    fn a_record_from_before_there_were_details_is_read_and_written_as_ever() {
        let mut header = record().header().clone();
        (header.details, header.previous) = (None, None);
        let fixed = header.pack();
        let rest = [&[3, 3], &b"ada"[..], &[6], b"laptop", &[13], b"a.note", &[0, 2], b"hi"].concat();
        let bytes = [&fixed[..], &rest].concat();
        let read = Record::from_bytes(&bytes).unwrap();
        assert_eq!(format!("{:?}", read.header()), format!("{header:?}"));
        assert!(read.fields().eq([("a.note", StoredValue::new("hi").as_ref())]));
        assert_eq!(read.to_bytes(), bytes);
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
