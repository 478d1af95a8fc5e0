//! The changes of a request, before they are stored.

use std::collections::BTreeMap;

use crate::data::entries::Items;
use crate::data::field::parse_counter;
use crate::data::migration::{self, Upgrade};
use crate::data::snapshot::{Snapshot, is_field};
use crate::data::three_way::ThreeWay;
use crate::data::{Field, Merge, MergeFunction, OnError, SessionData};
use crate::encryption::Opener;
use crate::record::Record;
use crate::record::delta::{FieldKey, OnLogin};
use crate::record::field_error::FieldError;
use crate::request::change_set::ChangeSet;
use crate::time::Timestamp;

/// The fields that a request changed, each at most once.
#[derive(Clone, Default)]
pub(crate) struct Changes {
    /// True if everything that is stored goes before the changes come.
    pub(super) cleared: bool,
    /// True if nobody sees the response: what was taken to be shown once stays.
    pub(super) keeps_flash: bool,
    /// The structs among the changed ones that may be stored in an older version.
    pub(super) upgrades: Vec<(&'static str, Upgrade)>,
    pub(super) changes: ChangeSet,
}

#[derive(Clone)]
pub(crate) struct Change {
    pub(crate) key: FieldKey,
    /// The declaration of the field in its struct.
    pub(crate) field: &'static Field,
    pub(super) on_error: OnError,
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
        /// The record that it began with, counted by the logins and rotations of the request before.
        origin: usize,
    },
}

impl Changes {
    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty() && !self.cleared
    }

    pub(crate) fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Returns the stored values below the changes.
    pub(crate) fn stored<'a>(&self, record: Option<(&'a Record, Opener<'a>)>, now: Timestamp) -> Snapshot<'a> {
        Snapshot::new(record.filter(|_| !self.cleared), now)
    }

    /// Keeps the values of `flash` fields that were taken, since nobody sees them.
    pub(crate) fn keep_flash(&mut self) {
        self.keeps_flash = true;
    }

    /// Forgets the changes so far, and removes everything that is stored.
    pub(crate) fn clear(&mut self) {
        *self = Self { cleared: true, ..Self::default() };
    }

    /// The size of the keys and values that are to be stored besides this key, in bytes.
    pub(crate) fn size_besides(&self, key: &str) -> usize {
        self.changes.size_besides(key)
    }

    /// Returns the change of a key.
    pub(crate) fn change(&self, key: &str) -> Option<&Change> {
        self.changes.get(key)
    }

    /// Forgets the changes; what was to be removed before them still is.
    pub(crate) fn forget_changes(&mut self) {
        self.changes = ChangeSet::default();
        self.upgrades.clear();
    }

    /// Forgets the changes of what does not stay at a login.
    pub(crate) fn log_in(&mut self, rule: OnLogin) {
        self.changes.retain(|change| !change.field.goes_at_login(rule));
    }

    /// Takes a change of a key, whatever its struct says of it; the last write wins.
    pub(crate) fn put(&mut self, key: &str, value: Option<Vec<u8>>) {
        const UNTYPED: &Field = &Field::new("");
        if is_field(key) {
            self.changes.remove_entries(key);
        }
        let change = match self.changes.get(key) {
            Some(change) => {
                let kind = if change.is_put() { ChangeKind::Put { value } } else { ChangeKind::Write { value } };
                Change { key: change.key.clone(), kind, ..*change }
            }
            None => {
                let kind = ChangeKind::Put { value };
                Change { key: key.to_owned().into(), field: UNTYPED, on_error: OnError::Fail, kind }
            }
        };
        self.changes.set(change);
    }

    /// Returns whether the map wrote or removed a field as a whole, which takes the place of its entries.
    pub(crate) fn replaces_entries(&self, name: &str) -> bool {
        is_field(name) && self.changes.get(name).is_some_and(Change::is_put)
    }

    /// Takes the change that a struct of type `T` made to one of its fields, as if another request had come before
    /// with what is pending already. It was checked out of the record of the number `origin`.
    pub(crate) fn contribute<T: SessionData>(
        &mut self,
        index: usize,
        base: Option<&[u8]>,
        mine: Option<&[u8]>,
        origin: usize,
    ) -> Result<(), FieldError> {
        self.upgrade::<T>();
        let field = &T::FIELDS[index];
        let before = self.changes.get(field.key).map(|change| &change.kind);
        let owned = |bytes: Option<&[u8]>| bytes.map(<[u8]>::to_vec);
        let number = |bytes: Option<&[u8]>| bytes.and_then(parse_counter).unwrap_or(0);
        let kind = match (field.merge, before) {
            (Merge::LastWriteWins, _) => ChangeKind::Write { value: owned(mine) },
            // What another request put there is overwritten anyway, so what is merged with it is too.
            (Merge::Add { min, max }, Some(ChangeKind::Put { value } | ChangeKind::Write { value })) => {
                let sum = number(value.as_deref()).saturating_add(number(mine) - number(base));
                ChangeKind::Write { value: Some(sum.clamp(min, max).to_string().into_bytes()) }
            }
            (
                Merge::ThreeWay(merge) | Merge::Flash(merge),
                Some(ChangeKind::Put { value } | ChangeKind::Write { value }),
            ) => {
                let theirs = value.as_deref();
                ChangeKind::Write { value: merge(ThreeWay { field, base, mine, theirs, on_error: T::ON_ERROR })? }
            }
            (Merge::Add { min, max }, before) => {
                let earlier = if let Some(ChangeKind::Add { by, .. }) = before { *by } else { 0 };
                ChangeKind::Add { by: earlier + number(mine) - number(base), min, max }
            }
            (Merge::ThreeWay(merge) | Merge::Flash(merge), Some(ChangeKind::Merge { mine: theirs, origin, .. })) => {
                let (theirs, origin) = (theirs.as_deref(), *origin);
                let merged = merge(ThreeWay { field, base, mine, theirs, on_error: T::ON_ERROR })?;
                ChangeKind::Merge { merge, mine: merged, origin }
            }
            (Merge::ThreeWay(merge) | Merge::Flash(merge), _) => ChangeKind::Merge { merge, mine: owned(mine), origin },
            (Merge::Entries(_), _) => unreachable!("an `entries` field has no value of its own"),
        };
        self.changes.set(Change { key: field.key.into(), field, on_error: T::ON_ERROR, kind });
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
        for (entry, value) in changed {
            let (key, kind) =
                (format!("{}/{entry}", field.key).into(), ChangeKind::Write { value: value.map(<[u8]>::to_vec) });
            self.changes.set(Change { key, field, on_error: T::ON_ERROR, kind });
        }
        Ok(())
    }

    /// The entries of a value that was put in one piece before one of them changed. The piece itself goes: it would
    /// hide what is made of them.
    fn take_put_apart<T: SessionData>(&mut self, field: &'static Field) -> Result<Items, FieldError> {
        let mut piece: Option<Vec<u8>> = None;
        for name in field.names() {
            piece = self.changes.take_put(name).or(piece);
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
}

impl Change {
    /// Returns whether the change came from outside of the struct.
    pub(crate) fn is_put(&self) -> bool {
        matches!(self.kind, ChangeKind::Put { .. })
    }
}
