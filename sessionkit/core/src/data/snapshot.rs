//! The stored fields of a session, at one moment and as this release reads them.

use std::cell::{Cell, OnceCell, RefCell};

use crate::data::Field;
use crate::encryption::Opener;
use crate::record::Record;
use crate::record::delta::{FieldKey, StoredValue, ValueRef};
use crate::time::Timestamp;

/// The live fields of a record, with what migrations made of them.
pub(crate) struct Snapshot<'a> {
    /// `None` for a session that does not exist yet. The opener decrypts its values.
    record: Option<(&'a Record, Opener<'a>)>,
    now: Timestamp,
    /// The encrypted values, each with its place among the packed fields; `None` in one that cannot be decrypted. They are
    /// decrypted when they are first read.
    decrypted: OnceCell<Vec<(usize, DecryptedValue)>>,
    /// The keys of the values that could not be decrypted, and the reasons.
    undecryptable: RefCell<Vec<(String, &'static str)>>,
    /// The end of the field that was read last, in bytes from the first field.
    place: Cell<usize>,
    migrated: Vec<(FieldKey, Option<StoredValue>)>,
    /// The values that no migration could read.
    unfit: Vec<String>,
}

/// A value that is decrypted when it is first read.
type DecryptedValue = OnceCell<Option<Vec<u8>>>;

impl<'a> Snapshot<'a> {
    pub(crate) fn new(record: Option<(&'a Record, Opener<'a>)>, now: Timestamp) -> Self {
        Self {
            record,
            now,
            decrypted: OnceCell::new(),
            undecryptable: RefCell::default(),
            place: Cell::new(0),
            migrated: Vec::new(),
            unfit: Vec::new(),
        }
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

    /// Takes the keys of the values that could not be decrypted, with the reasons, to report them.
    pub(crate) fn take_undecryptable(&self) -> Vec<(String, &'static str)> {
        self.undecryptable.take()
    }

    /// Returns a value. One that cannot be decrypted is absent.
    pub(crate) fn value(&self, key: &str) -> Option<ValueRef<'_>> {
        self.decrypt(key, self.stored_value(key)?)
    }

    /// Returns a value as it is stored, encrypted perhaps.
    pub(crate) fn stored_value(&self, key: &str) -> Option<ValueRef<'_>> {
        match self.migrated.iter().find(|(migrated, _)| migrated == key) {
            Some((_, value)) => value.as_ref().map(StoredValue::as_ref),
            None => self.record?.0.field_near(key, self.now, &self.place),
        }
    }

    /// Returns whether the field or the entry of this key belongs to a map or set of which another entry is sensitive.
    pub(crate) fn is_beside_sensitive(&self, key: &str) -> bool {
        let name = key.split_once('/').map_or(key, |(name, _)| name);
        is_field(name) && self.stored_values().any(|(key, value)| value.sensitive && entry_of(key, name).is_some())
    }

    /// Returns whether something is stored that cannot be decrypted.
    pub(crate) fn is_undecryptable(&self, key: &str) -> bool {
        self.stored_value(key).is_some_and(|value| value.encrypted && self.decrypt(key, value).is_none())
    }

    #[inline]
    fn decrypt<'s>(&'s self, key: &str, value: ValueRef<'s>) -> Option<ValueRef<'s>> {
        if value.encrypted { self.decrypted(key, value) } else { Some(value) }
    }

    fn decrypted<'s>(&'s self, key: &str, value: ValueRef<'s>) -> Option<ValueRef<'s>> {
        let (record, opener) = self.record?;
        let start = record.fields().as_bytes().as_ptr().addr();
        let place = |value: ValueRef<'_>| value.bytes.as_ptr().addr() - start;
        let values = self.decrypted.get_or_init(|| {
            let encrypted = record.fields().packed().filter(|(_, value, _)| value.encrypted);
            encrypted.map(|(_, value, _)| (place(value), OnceCell::new())).collect()
        });
        let at = values.binary_search_by_key(&place(value), |(place, _)| *place).ok()?;
        let decrypt = || match opener.decrypt(key, value.bytes) {
            Ok(bytes) => Some(bytes),
            Err(reason) => {
                self.undecryptable.borrow_mut().push((key.to_owned(), reason.as_str()));
                None
            }
        };
        let bytes = values[at].1.get_or_init(decrypt).as_deref()?;
        Some(ValueRef { bytes, encrypted: false, ..value })
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

    /// The keys of everything that is stored.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.stored_values().map(|(key, _)| key)
    }

    /// Everything that is stored, encrypted perhaps.
    fn stored_values(&self) -> impl Iterator<Item = (&str, ValueRef<'_>)> {
        let stored = self.record.into_iter().flat_map(|(record, _)| record.fields());
        let is_migrated = |key: &str| self.migrated.iter().any(|(migrated, _)| migrated == key);
        let stored = stored.filter(move |(key, value)| value.is_live(self.now) && !is_migrated(key));
        let migrated = self.migrated.iter().filter_map(|(key, value)| Some((&**key, value.as_ref()?.as_ref())));
        stored.chain(migrated)
    }

    /// The names of the entries of a map or set that are stored one by one, those included that cannot be decrypted.
    pub(crate) fn entry_names<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s str> {
        self.keys().filter_map(move |key| entry_of(key, name))
    }

    /// The entries of a map or set that are stored under this name, one by one.
    pub(crate) fn entries<'s>(&'s self, name: &'s str) -> impl Iterator<Item = (&'s str, &'s [u8])> {
        self.stored_values().filter_map(move |(key, value)| {
            let entry = entry_of(key, name)?;
            Some((entry, self.decrypt(key, value)?.bytes))
        })
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
