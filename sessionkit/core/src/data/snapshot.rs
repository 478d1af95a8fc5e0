//! The stored fields of a session, at one moment and as this release reads them.

use std::cell::Cell;

use crate::data::Field;
use crate::record::Record;
use crate::record::delta::{FieldKey, StoredValue, ValueRef};
use crate::time::Timestamp;

/// The live fields of a record, with what migrations made of them.
pub(crate) struct Snapshot<'a> {
    /// `None` for a session that does not exist yet.
    record: Option<&'a Record>,
    now: Timestamp,
    /// The end of the field that was read last, in bytes from the first field.
    place: Cell<usize>,
    migrated: Vec<(FieldKey, Option<StoredValue>)>,
    /// The values that no migration could read.
    unfit: Vec<String>,
}

impl<'a> Snapshot<'a> {
    pub(crate) fn new(record: Option<&'a Record>, now: Timestamp) -> Self {
        Self { record, now, place: Cell::new(0), migrated: Vec::new(), unfit: Vec::new() }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// Puts the values of a migration in the place of those that are stored.
    pub(crate) fn migrate(&mut self, values: Vec<(FieldKey, Option<StoredValue>)>, unfit: Vec<String>) {
        self.migrated.extend(values);
        self.unfit.extend(unfit);
    }

    /// Takes the keys of the values that no migration could read, to report them.
    pub(crate) fn take_unfit(&mut self) -> Vec<String> {
        std::mem::take(&mut self.unfit)
    }

    pub(crate) fn value(&self, key: &str) -> Option<ValueRef<'_>> {
        match self.migrated.iter().find(|(migrated, _)| migrated == key) {
            Some((_, value)) => value.as_ref().map(StoredValue::as_ref),
            None => self.record?.field_near(key, self.now, &self.place),
        }
    }

    pub(crate) fn bytes(&self, key: &str) -> Option<&[u8]> {
        self.value(key).map(|value| value.bytes)
    }

    /// The values of a field, under its own name first, then under its aliases. The first one counts.
    pub(crate) fn held(&self, field: &Field) -> impl Iterator<Item = (&'static str, ValueRef<'_>)> {
        field.names().filter_map(|name| Some((name, self.value(name)?)))
    }

    /// The value of a field.
    pub(crate) fn field(&self, field: &Field) -> Option<&[u8]> {
        self.bytes(field.key).or_else(|| field.aliases.iter().find_map(|alias| self.bytes(alias)))
    }

    /// Everything that is stored.
    pub(crate) fn values(&self) -> impl Iterator<Item = (&str, ValueRef<'_>)> {
        let stored = self.record.into_iter().flat_map(Record::fields);
        let is_migrated = |key: &str| self.migrated.iter().any(|(migrated, _)| migrated == key);
        let stored = stored.filter(move |(key, value)| value.is_live(self.now) && !is_migrated(key));
        let migrated = self.migrated.iter().filter_map(|(key, value)| Some((&**key, value.as_ref()?.as_ref())));
        stored.chain(migrated)
    }

    /// The entries of a map or set that are stored under this name, one by one.
    pub(crate) fn entries<'s>(&'s self, name: &'s str) -> impl Iterator<Item = (&'s str, &'s [u8])> {
        self.values().filter_map(move |(key, value)| Some((entry_of(key, name)?, value.bytes)))
    }
}

/// The entry of the field `name` that is stored under `key`, if it is one of that field's.
pub(crate) fn entry_of<'a>(key: &'a str, name: &str) -> Option<&'a str> {
    key.strip_prefix(name)?.strip_prefix('/')
}

/// Returns whether a key is that of a struct's field as a whole, so that keys below it are entries.
pub(crate) fn is_field(key: &str) -> bool {
    key.contains('.') && !key.contains('/')
}
