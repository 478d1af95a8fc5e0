//! The changes of one request, before they are stored.

use crate::data::{Field, Merge, MergeFn, OnError, SessionData};
use crate::delta::{Delta, FieldKey, FieldOp, StoredValue};
use crate::field::{FieldError, FieldSource, ThreeWay, parse_counter};
use crate::record::{Record, field_size};
use crate::time::Timestamp;

/// The fields that a request changed, each at most once.
#[derive(Clone, Default)]
pub(crate) struct Pending {
    /// Whether everything that is stored goes before the changes come.
    cleared: bool,
    changes: Vec<Change>,
}

#[derive(Clone)]
struct Change {
    key: FieldKey,
    /// What its struct says of the field.
    field: &'static Field,
    on_error: OnError,
    kind: ChangeKind,
}

#[derive(Clone)]
enum ChangeKind {
    Write {
        value: Option<Vec<u8>>,
    },
    /// A write from outside of the struct, which keeps the flags of what is stored.
    Put {
        value: Option<Vec<u8>>,
    },
    Add {
        by: i128,
        min: i128,
        max: i128,
    },
    Merge {
        merge: MergeFn,
        mine: Option<Vec<u8>>,
    },
}

impl Pending {
    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty() && !self.cleared
    }

    /// Forgets the changes so far, and removes everything that is stored.
    pub(crate) fn clear(&mut self) {
        *self = Self { cleared: true, changes: Vec::new() };
    }

    /// Takes a change of a key, whatever its struct says of it; the last write wins.
    pub(crate) fn put(&mut self, key: &str, value: Option<Vec<u8>>) {
        const UNTYPED: &Field = &Field::new("");
        match self.changes.iter_mut().find(|change| change.key == key) {
            Some(change) => {
                let typed = !matches!(change.kind, ChangeKind::Put { .. });
                change.kind = if typed { ChangeKind::Write { value } } else { ChangeKind::Put { value } };
            }
            None => {
                let key = key.to_owned().into();
                let kind = ChangeKind::Put { value };
                self.changes.push(Change { key, field: UNTYPED, on_error: OnError::Fail, kind });
            }
        }
    }

    /// Takes the change that a struct of type `T` made to one of its fields, as if another request had come before
    /// with what is pending already.
    pub(crate) fn contribute<T: SessionData>(
        &mut self,
        index: usize,
        base: Option<&[u8]>,
        mine: Option<&[u8]>,
    ) -> Result<(), FieldError> {
        let field = &T::FIELDS[index];
        let before = self.changes.iter_mut().find(|change| change.key == field.key);
        let owned = |bytes: Option<&[u8]>| bytes.map(<[u8]>::to_vec);
        let number = |bytes: Option<&[u8]>| bytes.and_then(parse_counter).unwrap_or(0);
        let kind = match (field.merge, before.as_ref().map(|change| &change.kind)) {
            (Merge::LastWriteWins, _) => ChangeKind::Write { value: owned(mine) },
            // What somebody else put there is overwritten anyway, so what is merged with it is too.
            (Merge::Add { min, max }, Some(ChangeKind::Put { value } | ChangeKind::Write { value })) => {
                let sum = number(value.as_deref()).saturating_add(number(mine) - number(base));
                ChangeKind::Write { value: Some(sum.clamp(min, max).to_string().into_bytes()) }
            }
            (Merge::ThreeWay(merge), Some(ChangeKind::Put { value } | ChangeKind::Write { value })) => {
                let theirs = value.as_deref();
                ChangeKind::Write { value: merge(ThreeWay { field, base, mine, theirs, on_error: T::ON_ERROR })? }
            }
            (Merge::Add { min, max }, before) => {
                let earlier = if let Some(ChangeKind::Add { by, .. }) = before { *by } else { 0 };
                ChangeKind::Add { by: earlier + number(mine) - number(base), min, max }
            }
            (Merge::ThreeWay(merge), Some(ChangeKind::Merge { mine: theirs, .. })) => {
                let theirs = theirs.as_deref();
                let merged = merge(ThreeWay { field, base, mine, theirs, on_error: T::ON_ERROR })?;
                ChangeKind::Merge { merge, mine: merged }
            }
            (Merge::ThreeWay(merge), _) => ChangeKind::Merge { merge, mine: owned(mine) },
        };
        let change = Change { key: field.key.into(), field, on_error: T::ON_ERROR, kind };
        match before {
            Some(before) => *before = change,
            None => self.changes.push(change),
        }
        Ok(())
    }

    /// The delta that brings `record` up to date, from what the request saw, `origin`. `None` stands for a session
    /// that does not exist yet.
    pub(crate) fn delta(
        &self,
        origin: Option<&Record>,
        record: Option<&Record>,
        now: Timestamp,
    ) -> Result<Delta, FieldError> {
        let mut delta = Delta::new();
        let (origin, record) = if self.cleared {
            delta.fields.extend(record.map(|_| FieldOp::Clear { keep_carried: false }));
            (None, None)
        } else {
            (origin, record)
        };
        for change in &self.changes {
            delta.fields.extend(change.op(origin, record, now)?);
        }
        Ok(delta)
    }
}

impl Change {
    fn op(
        &self,
        origin: Option<&Record>,
        record: Option<&Record>,
        now: Timestamp,
    ) -> Result<Option<FieldOp>, FieldError> {
        let key = self.key.clone();
        let bytes = |record: Option<&Record>| record?.field(&key, now).map(|value| value.bytes.to_vec());
        Ok(Some(match &self.kind {
            ChangeKind::Write { value: None } | ChangeKind::Put { value: None } => match record {
                Some(_) => FieldOp::Remove { key },
                None => return Ok(None),
            },
            ChangeKind::Write { value: Some(bytes) } => FieldOp::Set { key, value: self.value(bytes, now) },
            ChangeKind::Put { value: Some(bytes) } => {
                let mut value = StoredValue::new(bytes.clone());
                if let Some(held) = record.and_then(|record| record.field(&key, now)) {
                    (value.carried, value.deadline) = (held.carried, held.deadline);
                }
                FieldOp::Set { key, value }
            }
            ChangeKind::Add { by: 0, .. } => return Ok(None),
            ChangeKind::Add { by, min, max } => {
                let (by, min, max) = (*by, *min, *max);
                let theirs = bytes(record).filter(|_| self.on_error == OnError::Default);
                match theirs.filter(|theirs| parse_counter(theirs).is_none()) {
                    // A store adds to integers only; what does not fit counts as zero.
                    Some(theirs) => {
                        let sum = by.clamp(min, max).to_string();
                        FieldOp::Replace { key, expected: Some(theirs), value: Some(self.value(sum.as_bytes(), now)) }
                    }
                    None => FieldOp::Add { key, by, min, max, carried: self.field.carry },
                }
            }
            ChangeKind::Merge { merge, mine } => {
                let (base, theirs) = (bytes(origin), bytes(record));
                // Usually nobody else has changed the field, and mine is the result.
                let merged = if theirs == base {
                    mine.clone()
                } else {
                    let (base, mine, theirs) = (base.as_deref(), mine.as_deref(), theirs.as_deref());
                    merge(ThreeWay { field: self.field, base, mine, theirs, on_error: self.on_error })?
                };
                if merged == theirs {
                    return Ok(None);
                }
                let value = merged.map(|bytes| self.value(&bytes, now));
                FieldOp::Replace { key, expected: theirs, value }
            }
        }))
    }

    fn value(&self, bytes: &[u8], now: Timestamp) -> StoredValue {
        let ttl = self.field.ttl.map(|seconds| std::time::Duration::from_secs(u64::from(seconds)));
        StoredValue { bytes: bytes.to_vec(), carried: self.field.carry, deadline: ttl.map(|ttl| now.after(ttl)) }
    }
}

/// A record as the request sees it: with its own changes on top.
pub(crate) struct Overlay<'a> {
    record: Option<&'a Record>,
    now: Timestamp,
    /// The sums of counters, which no one place holds.
    sums: Vec<(&'a str, Vec<u8>)>,
    pending: &'a Pending,
}

impl<'a> Overlay<'a> {
    pub(crate) fn new(record: Option<&'a Record>, pending: &'a Pending, now: Timestamp) -> Self {
        let record = record.filter(|_| !pending.cleared);
        let stored = |key: &str| record?.field(key, now).and_then(|value| parse_counter(value.bytes));
        let sum = |change: &'a Change| match change.kind {
            ChangeKind::Add { by, min, max } => {
                let sum = stored(&change.key).unwrap_or(0).saturating_add(by).clamp(min, max);
                Some((&*change.key, sum.to_string().into_bytes()))
            }
            _ => None,
        };
        let sums = pending.changes.iter().filter_map(sum).collect();
        Self { record, now, sums, pending }
    }
}

impl Overlay<'_> {
    /// The keys under which something is stored.
    pub(crate) fn keys(&self) -> Vec<String> {
        let changed = |key: &str| self.pending.changes.iter().any(|change| change.key == key);
        let stored = self.record.into_iter().flat_map(Record::fields);
        let stored = stored.filter(|(key, value)| value.is_live(self.now) && !changed(key)).map(|(key, _)| key);
        let pending = self.pending.changes.iter().map(|change| &*change.key);
        stored.chain(pending.filter(|key| self.stored(key).is_some())).map(str::to_owned).collect()
    }
}

impl FieldSource for Overlay<'_> {
    fn stored(&self, key: &str) -> Option<&[u8]> {
        let change = self.pending.changes.iter().find(|change| change.key == key);
        match change.map(|change| &change.kind) {
            Some(ChangeKind::Write { value } | ChangeKind::Put { value } | ChangeKind::Merge { mine: value, .. }) => {
                value.as_deref()
            }
            Some(ChangeKind::Add { .. }) => {
                self.sums.iter().find(|(name, _)| *name == key).map(|(_, sum)| sum.as_slice())
            }
            None => self.record?.field(key, self.now).map(|value| value.bytes),
        }
    }
}

/// The size that `record` will have with `delta` applied, as far as can be told before.
pub(crate) fn size_after(record: Option<&Record>, delta: &Delta, now: Timestamp) -> usize {
    let mut record = record;
    let mut size = record.map_or(0, |record| record.live_size(now));
    for op in &delta.fields {
        let (key, value) = match op {
            FieldOp::Set { key, value } => (key, Some(value)),
            FieldOp::Replace { key, value, .. } => (key, value.as_ref()),
            FieldOp::Remove { key } => (key, None),
            FieldOp::Clear { keep_carried: false } => {
                (record, size) = (None, 0);
                continue;
            }
            FieldOp::Add { .. } | FieldOp::Clear { .. } => continue,
        };
        let held = record.and_then(|record| record.field(key, now)).map_or(0, |value| field_size(key, value));
        size = size - held + value.map_or(0, |value| field_size(key, value.as_ref()));
    }
    size
}
