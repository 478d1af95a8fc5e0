//! Records and deltas.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::encryption::Opener;
use crate::record::apply::{Applied, Unfit, apply};
use crate::record::delta::{Clear, Delta, FieldChanges, FieldDeadline, FieldKey, FieldOps, HeaderOp, StoredValue};
use crate::record::field_error::FieldError;
use crate::record::front::Generation;
use crate::record::header::Header;
use crate::record::packing::write_header;
use crate::record::{Draft, Record};
use crate::time::Timestamp;
use crate::token::SecretHash;

pub(super) const NOW: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);

pub(super) const TTL: Duration = Duration::from_secs(3600);

/// This many seconds after [`NOW`].
pub(super) fn after(seconds: u64) -> Timestamp {
    NOW.saturating_add(Duration::from_secs(seconds))
}

pub(super) fn secret(number: u8) -> SecretHash {
    SecretHash::from_bytes([number; 32])
}

/// The header of an anonymous session whose secret is `secret(0)`.
pub(super) fn header() -> Header {
    Header::new(secret(0), NOW, TTL, None)
}

pub(super) fn record<'a>(header: Header, fields: impl IntoIterator<Item = (&'a str, StoredValue)>) -> Record {
    let fields: Vec<_> = fields.into_iter().collect();
    Record::from_fields(header, fields.iter().map(|(key, value)| (*key, value.as_ref())))
}

pub(super) fn plain(bytes: impl Into<Vec<u8>>) -> StoredValue {
    StoredValue::new(bytes)
}

pub(super) fn carried(bytes: impl Into<Vec<u8>>) -> StoredValue {
    StoredValue { carried: true, ..StoredValue::new(bytes) }
}

/// The deadline that was granted at [`NOW`].
pub(super) fn deadline(at: Timestamp) -> FieldDeadline {
    FieldDeadline::after(NOW, at.saturating_duration_since(NOW))
}

pub(super) fn until(at: Timestamp, bytes: impl Into<Vec<u8>>) -> StoredValue {
    StoredValue { deadline: Some(deadline(at)), ..StoredValue::new(bytes) }
}

/// A value that was granted so many seconds then.
pub(super) fn granted(at: Timestamp, seconds: u64, bytes: impl Into<Vec<u8>>) -> StoredValue {
    let deadline = FieldDeadline::after(at, Duration::from_secs(seconds));
    StoredValue { deadline: Some(deadline), ..StoredValue::new(bytes) }
}

/// Changes that give fields these values, whatever the record holds.
struct Values(Vec<(FieldKey, Option<StoredValue>)>, Clear);

impl FieldChanges for Values {
    fn operations(&self, _: &Record, _: Opener<'_>, _: Timestamp) -> Result<FieldOps, FieldError> {
        Ok(FieldOps { clear: self.1, values: self.0.clone(), ..FieldOps::default() })
    }

    fn is_repeatable(&self) -> bool {
        true
    }
}

/// A delta of fields.
pub(super) fn values<K: Into<String>>(values: impl IntoIterator<Item = (K, Option<StoredValue>)>) -> Delta {
    clearing(Clear::Nothing, values)
}

/// A delta of fields whose request removed others before.
pub(super) fn clearing<K: Into<String>>(
    clear: Clear,
    values: impl IntoIterator<Item = (K, Option<StoredValue>)>,
) -> Delta {
    let values = values.into_iter().map(|(key, value)| (FieldKey::Owned(key.into()), value)).collect();
    Delta { fields: Some(Arc::new(Values(values, clear))), ..Delta::new(Generation::default()) }
}

pub(super) fn set(key: &str, value: StoredValue) -> Delta {
    values([(key, Some(value))])
}

/// A delta of the header.
pub(super) fn ops(ops: impl Into<Vec<HeaderOp>>) -> Delta {
    Delta { header: ops.into(), ..Delta::new(Generation::default()) }
}

pub(super) fn under(generation: u32, delta: Delta) -> Delta {
    Delta { generation: Generation::from_number(generation), ..delta }
}

pub(super) fn rotate(to: u8, at: Timestamp) -> HeaderOp {
    HeaderOp::Rotate { secret: secret(to), replaced: secret(0), at }
}

pub(super) fn touch(last_seen: Timestamp, idle_deadline: Timestamp) -> HeaderOp {
    HeaderOp::Touch { last_seen, idle_deadline }
}

/// The outcome of applying a delta.
#[derive(Debug)]
pub(super) enum Outcome {
    Changed(Record),
    Unchanged,
    Stale,
    Gone,
    TooLarge(usize),
}

pub(super) fn outcome(record: &Record, delta: &Delta, now: Timestamp) -> Outcome {
    match apply(record, delta, now) {
        Ok(Applied::Changed(draft)) => Outcome::Changed(stored(draft)),
        Ok(Applied::Unchanged) => Outcome::Unchanged,
        Ok(Applied::Stale) => Outcome::Stale,
        Ok(Applied::Gone) => Outcome::Gone,
        Err(Unfit::TooLarge(size)) => Outcome::TooLarge(size),
        Err(Unfit::Field(error)) => panic!("no field fails here: {error}"),
    }
}

/// The record as whoever loads it next reads it.
fn stored(draft: Draft) -> Record {
    let sealed = draft.seal(5);
    let read = Record::from_bytes(sealed.as_bytes().clone()).expect("what is written can be read");
    let (seen, mut written) = (Seen::of(&read), Seen::of(&sealed));
    if sealed.header().clock.is_some() {
        // The one that wrote it shows the times as it sees them.
        written.shown.clone_from(&seen.shown);
    }
    assert_eq!(seen, written, "what is written is read");
    read
}

/// Applies a delta that must change the record, at [`NOW`].
#[track_caller]
pub(super) fn changed(record: &Record, delta: &Delta) -> Record {
    changed_at(record, delta, NOW)
}

#[track_caller]
pub(super) fn changed_at(record: &Record, delta: &Delta, now: Timestamp) -> Record {
    match outcome(record, delta, now) {
        Outcome::Changed(record) => record,
        other => panic!("the delta changes the record, but: {other:?}"),
    }
}

/// The keys of a record, in their order.
pub(super) fn keys(record: &Record) -> Vec<&str> {
    record.fields().map(|(key, _)| key).collect()
}

/// Everything that a record says, but its revision. Unlike the types of the engine it shows what it holds.
#[derive(Eq, PartialEq)]
pub(super) struct Seen {
    header: Vec<u8>,
    shown: String,
    fields: BTreeMap<String, StoredValue>,
}

impl Seen {
    pub(super) fn of(record: &Record) -> Self {
        let header = record.header().clone();
        let mut packed = Vec::new();
        write_header(&mut packed, &header);
        let fields: BTreeMap<_, _> = record.fields().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        assert_eq!(fields.len(), record.fields().count(), "each field is there once: {record:?}");
        Self { header: packed, shown: format!("{header:?}"), fields }
    }

    pub(super) fn new<'a>(header: Header, fields: impl IntoIterator<Item = (&'a str, StoredValue)>) -> Self {
        Self::of(&record(header, fields))
    }
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.shown)?;
        writeln!(f, "{}", self.header.escape_ascii())?;
        for (key, value) in &self.fields {
            let start = &value.bytes[..value.bytes.len().min(40)];
            writeln!(f, "{key:?}: `{}`, {value:?}", start.escape_ascii())?;
        }
        Ok(())
    }
}
