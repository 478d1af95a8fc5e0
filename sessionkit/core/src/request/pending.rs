//! The changes of one request, before they are stored.

use std::collections::{BTreeMap, BTreeSet};

use crate::data::entries::{Items, Split};
use crate::data::field::{counter, parse_counter};
use crate::data::field_error::FieldError;
use crate::data::migration::{self, Upgrade};
use crate::data::snapshot::{Snapshot, entry_of, is_field};
use crate::data::three_way::ThreeWay;
use crate::data::{Field, Merge, MergeFunction, OnError, SessionData};
use crate::record::Record;
use crate::record::delta::{Delta, FieldKey, FieldOp, StoredValue};
use crate::record::packing::field_size;
use crate::time::Timestamp;

/// The fields that a request changed, each at most once.
#[derive(Clone, Default)]
pub(crate) struct Pending {
    /// Whether everything that is stored goes before the changes come.
    cleared: bool,
    /// The structs among the changed ones that may be stored in an older version.
    upgrades: Vec<(&'static str, Upgrade)>,
    changes: Vec<Change>,
}

#[derive(Clone)]
pub(crate) struct Change {
    pub(crate) key: FieldKey,
    /// What its struct says of the field.
    pub(crate) field: &'static Field,
    on_error: OnError,
    pub(crate) kind: ChangeKind,
}

#[derive(Clone)]
pub(crate) enum ChangeKind {
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
        merge: MergeFunction,
        mine: Option<Vec<u8>>,
    },
}

impl Pending {
    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty() && !self.cleared
    }

    pub(crate) fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// What is stored below the changes.
    pub(crate) fn stored<'a>(&self, record: Option<&'a Record>, now: Timestamp) -> Snapshot<'a> {
        Snapshot::new(record.filter(|_| !self.cleared), now)
    }

    /// Forgets the changes so far, and removes everything that is stored.
    pub(crate) fn clear(&mut self) {
        *self = Self { cleared: true, ..Self::default() };
    }

    /// Forgets the changes; what was to be removed before them still is.
    pub(crate) fn forget_changes(&mut self) {
        self.changes.clear();
        self.upgrades.clear();
    }

    /// Takes a change of a key, whatever its struct says of it; the last write wins.
    pub(crate) fn put(&mut self, key: &str, value: Option<Vec<u8>>) {
        const UNTYPED: &Field = &Field::new("");
        if is_field(key) {
            self.changes.retain(|change| entry_of(&change.key, key).is_none());
        }
        match self.changes.iter_mut().find(|change| change.key == key) {
            Some(change) => {
                change.kind = if change.is_put() { ChangeKind::Put { value } } else { ChangeKind::Write { value } };
            }
            None => {
                let key = key.to_owned().into();
                let kind = ChangeKind::Put { value };
                self.changes.push(Change { key, field: UNTYPED, on_error: OnError::Fail, kind });
            }
        }
    }

    /// Whether the map wrote or removed a field as a whole, which takes the place of its entries.
    pub(crate) fn replaces_entries(&self, name: &str) -> bool {
        is_field(name) && self.changes.iter().any(|change| change.key == name && change.is_put())
    }

    /// Takes the change that a struct of type `T` made to one of its fields, as if another request had come before
    /// with what is pending already.
    pub(crate) fn contribute<T: SessionData>(
        &mut self,
        index: usize,
        base: Option<&[u8]>,
        mine: Option<&[u8]>,
    ) -> Result<(), FieldError> {
        self.upgrade::<T>();
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
            (Merge::Entries(_), _) => unreachable!("an `entries` field has no value of its own"),
        };
        let change = Change { key: field.key.into(), field, on_error: T::ON_ERROR, kind };
        match before {
            Some(before) => *before = change,
            None => self.changes.push(change),
        }
        Ok(())
    }

    /// Takes the entries that a struct of type `T` changed of one of its fields.
    pub(crate) fn contribute_entries<T: SessionData>(
        &mut self,
        field: &'static Field,
        base: &Items,
        mine: &Items,
    ) -> Result<(), FieldError> {
        let mut changed: BTreeMap<&str, Option<&[u8]>> = base.changes(mine).collect();
        if changed.is_empty() {
            return Ok(());
        }
        self.upgrade::<T>();
        let put = self.take_put_apart::<T>(field)?;
        for (entry, bytes) in put.iter() {
            changed.entry(entry).or_insert(Some(bytes));
        }
        self.changes
            .retain(|change| !entry_of(&change.key, field.key).is_some_and(|entry| changed.contains_key(entry)));
        self.changes.extend(changed.into_iter().map(|(entry, value)| {
            let key = format!("{}/{entry}", field.key).into();
            Change { key, field, on_error: T::ON_ERROR, kind: ChangeKind::Write { value: value.map(<[u8]>::to_vec) } }
        }));
        Ok(())
    }

    /// The entries of a value that was put in one piece before one of them changed. The piece itself goes: it would
    /// hide what is made of them.
    fn take_put_apart<T: SessionData>(&mut self, field: &'static Field) -> Result<Items, FieldError> {
        let mut piece: Option<Vec<u8>> = None;
        for change in self.changes.iter_mut().filter(|change| field.is_named(&change.key)) {
            if let ChangeKind::Put { value } = &mut change.kind {
                piece = value.take().or(piece);
            }
        }
        let (Some(piece), Merge::Entries(split)) = (piece, field.merge) else { return Ok(Items::default()) };
        let items = T::ON_ERROR.fit(split(&piece)).map_err(|reason| FieldError::decode(field, reason))?;
        // What does not fit was reported when it was read.
        Ok(items.unwrap_or_default())
    }

    fn upgrade<T: SessionData>(&mut self) {
        if T::VERSION > 1 && !self.upgrades.iter().any(|(namespace, _)| *namespace == T::NAMESPACE) {
            self.upgrades.push((T::NAMESPACE, migration::upgrade::<T>));
        }
    }

    /// The delta that brings `record` up to date, from what the request saw, `origin`. `None` stands for a session
    /// that does not exist yet.
    pub(crate) fn delta(
        &self,
        origin: Option<&Record>,
        record: Option<&Record>,
        now: Timestamp,
    ) -> Result<Delta, FieldError> {
        let is_cleared = self.cleared && record.is_some();
        let (mut origin, mut record) = (self.stored(origin, now), self.stored(record, now));
        let mut migrated = Vec::new();
        for (_, upgrade) in &self.upgrades {
            upgrade(&mut origin)?;
            migrated.extend(upgrade(&mut record)?);
        }
        let mut delta = Delta::new();
        let mut taken_apart: Vec<&str> = Vec::new();
        for change in &self.changes {
            if let Merge::Entries(split) = change.field.merge
                && !taken_apart.contains(&change.field.key)
            {
                taken_apart.push(change.field.key);
                self.take_apart(change, split, &record, &mut delta.fields)?;
            }
            if change.is_put() && is_field(&change.key) {
                self.remove_entries(&change.key, &record, &mut delta.fields);
            }
            change.write(&origin, &record, &mut delta.fields)?;
        }
        if !delta.fields.is_empty() {
            delta.fields.splice(0..0, migrated);
        }
        if is_cleared {
            delta.fields.insert(0, FieldOp::Clear { keep_carried: false });
        }
        Ok(delta)
    }

    /// Removes the stored entries of a field, except those that were changed.
    fn remove_entries(&self, name: &str, record: &Snapshot<'_>, ops: &mut Vec<FieldOp>) {
        let changed: BTreeSet<&str> = self.changes.iter().filter_map(|change| entry_of(&change.key, name)).collect();
        for (entry, _) in record.entries(name).filter(|(entry, _)| !changed.contains(entry)) {
            ops.push(FieldOp::Remove { key: format!("{name}/{entry}").into() });
        }
    }

    /// Moves a map or set that is stored in one piece to entries of its own, so that one of them can be changed.
    fn take_apart(
        &self,
        change: &Change,
        split: Split,
        record: &Snapshot<'_>,
        ops: &mut Vec<FieldOp>,
    ) -> Result<(), FieldError> {
        let field = change.field;
        let is_put = |name: &str| self.changes.iter().any(|change| change.key == name);
        let Some((_, held)) = record.held(field).next() else { return Ok(()) };
        let items = if field.names().any(is_put) {
            // What this request put in its place, and took apart already, is all there is.
            Items::default()
        } else {
            let items = change.on_error.fit(split(held.bytes)).map_err(|reason| FieldError::decode(field, reason))?;
            // What does not fit was reported when it was read.
            let Some(items) = items else { return Ok(()) };
            items
        };
        for (name, _) in record.held(field).filter(|(name, _)| !is_put(name)) {
            ops.push(removal(name.into(), record));
        }
        for (entry, bytes) in items.iter() {
            let key: FieldKey = format!("{}/{entry}", field.key).into();
            let value = StoredValue { bytes: bytes.to_vec(), ..held.to_owned() };
            ops.push(FieldOp::Set { key, value });
        }
        Ok(())
    }
}

impl Change {
    fn is_put(&self) -> bool {
        matches!(self.kind, ChangeKind::Put { .. })
    }

    /// Adds the operations that make the change.
    fn write(&self, origin: &Snapshot<'_>, record: &Snapshot<'_>, ops: &mut Vec<FieldOp>) -> Result<(), FieldError> {
        let key = self.key.clone();
        match &self.kind {
            ChangeKind::Write { value } => {
                ops.extend(self.aliases(record).map(|key| FieldOp::Remove { key }));
                let value = value.as_ref().map(|bytes| self.field.value(bytes, record.now()));
                ops.extend(set(key, value, record));
            }
            ChangeKind::Put { value } => {
                let flags = record.value(&key).map(|held| (held.carried, held.deadline));
                let (carried, deadline) = flags.unwrap_or_default();
                let value = value.clone().map(|bytes| StoredValue { bytes, carried, deadline });
                ops.extend(set(key, value, record));
            }
            ChangeKind::Add { by: 0, .. } => {}
            ChangeKind::Add { by, min, max } => self.add(*by, (*min, *max), record, ops)?,
            ChangeKind::Merge { merge, mine } => {
                let (base, theirs) = (origin.field(self.field), record.field(self.field));
                // Usually nobody else has changed the field, and mine is the result.
                let merged = if theirs == base {
                    mine.clone()
                } else {
                    let (field, mine, on_error) = (self.field, mine.as_deref(), self.on_error);
                    merge(ThreeWay { field, base, mine, theirs, on_error })?
                };
                if merged.as_deref() != theirs {
                    ops.extend(self.aliases(record).map(|alias| removal(alias, record)));
                    let value = merged.map(|bytes| self.field.value(&bytes, record.now()));
                    ops.push(FieldOp::Replace { expected: record.bytes(&key).map(<[u8]>::to_vec), key, value });
                }
            }
        }
        Ok(())
    }

    fn add(
        &self,
        by: i128,
        (min, max): (i128, i128),
        record: &Snapshot<'_>,
        ops: &mut Vec<FieldOp>,
    ) -> Result<(), FieldError> {
        let key = self.key.clone();
        ops.extend(self.aliases(record).map(|alias| removal(alias, record)));
        let (own, held) = (record.bytes(&key), record.field(self.field));
        let number = held.map(|bytes| self.on_error.fit(counter(bytes))).transpose();
        match number.map_err(|reason| FieldError::decode(self.field, reason))? {
            // A store adds to what is stored under the field's own name, where that is an integer.
            Some(number) if own.is_none() || number.is_none() => {
                let sum = number.unwrap_or(0).saturating_add(by).clamp(min, max).to_string();
                let (expected, value) = (own.map(<[u8]>::to_vec), self.field.value(sum.as_bytes(), record.now()));
                ops.push(FieldOp::Replace { key, expected, value: Some(value) });
            }
            _ => ops.push(FieldOp::Add { key, by, min, max, carried: self.field.carry }),
        }
        Ok(())
    }

    /// The aliases of the field, or of the entry of it, under which something may be stored.
    fn aliases(&self, record: &Snapshot<'_>) -> impl Iterator<Item = FieldKey> {
        self.field.aliases_of(&self.key).filter(|_| record.exists())
    }
}

/// Removes what is stored under a name that is not the one to write under, if it is still what it was.
///
/// A release that writes under that name makes a conflict, so that its value is merged and not lost.
fn removal(name: FieldKey, record: &Snapshot<'_>) -> FieldOp {
    FieldOp::Replace { expected: record.bytes(&name).map(<[u8]>::to_vec), key: name, value: None }
}

/// Stores a value, or removes it; there is nothing to remove from a session that does not exist yet.
fn set(key: FieldKey, value: Option<StoredValue>, record: &Snapshot<'_>) -> Option<FieldOp> {
    match value {
        Some(value) => Some(FieldOp::Set { key, value }),
        None => record.exists().then_some(FieldOp::Remove { key }),
    }
}

/// The size that `record` will have with `delta` applied, as far as can be told before.
pub(crate) fn size_after(record: Option<&Record>, delta: &Delta, now: Timestamp) -> usize {
    let cleared = delta.fields.iter().any(|op| matches!(op, FieldOp::Clear { keep_carried: false }));
    let record = record.filter(|_| !cleared);
    // What each field that an operation wrote takes.
    let mut written: BTreeMap<&str, usize> = BTreeMap::new();
    for op in &delta.fields {
        match op {
            FieldOp::Set { key, value } | FieldOp::Replace { key, value: Some(value), .. } => {
                written.insert(key, field_size(key, value.as_ref()));
            }
            FieldOp::Replace { key, value: None, .. } | FieldOp::Remove { key } => {
                written.insert(key, 0);
            }
            FieldOp::Add { .. } | FieldOp::Clear { .. } => {}
        }
    }
    let stored = record.into_iter().flat_map(Record::fields).filter(|(_, value)| value.is_live(now));
    let kept = stored.filter(|(key, _)| !written.contains_key(*key)).map(|(key, value)| field_size(key, value));
    kept.sum::<usize>() + written.values().sum::<usize>()
}
