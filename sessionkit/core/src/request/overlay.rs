//! The session as its request sees it: what is stored, with the request's own changes on top.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::data::Field;
use crate::data::field::{StoredFields, parse_counter};
use crate::data::snapshot::{Snapshot, entry_of, is_field};
use crate::record::reserved::is_reserved;
use crate::request::changes::{Change, ChangeKind, Changes};

/// The stored fields, with changes on top.
pub(crate) struct Overlay<'a> {
    stored: Snapshot<'a>,
    /// The sums of counters, which no one place holds.
    sums: Vec<(&'a str, Vec<u8>)>,
    pending: &'a Changes,
}

impl<'a> Overlay<'a> {
    pub(crate) fn new(stored: Snapshot<'a>, pending: &'a Changes) -> Self {
        Self::with_sums_of(pending.changes(), stored, pending)
    }

    /// Makes an overlay that shows only this key, and which of the others there are.
    pub(crate) fn of_key(key: &str, stored: Snapshot<'a>, pending: &'a Changes) -> Self {
        Self::with_sums_of(pending.change(key), stored, pending)
    }

    fn with_sums_of(changes: impl IntoIterator<Item = &'a Change>, stored: Snapshot<'a>, pending: &'a Changes) -> Self {
        let mut sums = Vec::new();
        for change in changes {
            if let ChangeKind::Add { by, min, max } = change.kind {
                let held = stored.field(change.field).and_then(parse_counter).unwrap_or(0);
                sums.push((&*change.key, held.saturating_add(by).clamp(min, max).to_string().into_bytes()));
            }
        }
        Self { stored, sums, pending }
    }

    /// The value of a key.
    pub(crate) fn value(&self, key: &str) -> Option<&[u8]> {
        self.changed(key).unwrap_or_else(|| self.stored.bytes(key).filter(|_| !self.is_replaced(key)))
    }

    /// The keys under which something is stored.
    pub(crate) fn keys(&self) -> Vec<String> {
        let stored = self.stored.keys().filter(|key| self.changed(key).is_none() && !self.is_replaced(key));
        let pending = self.pending.changes().iter().map(|change| &*change.key);
        let keys = stored.chain(pending.filter(|key| self.value(key).is_some()));
        keys.filter(|key| !is_reserved(key)).map(str::to_owned).collect()
    }

    /// Returns whether something is stored under the key, or under that of one of its entries.
    pub(crate) fn has(&self, key: &str) -> bool {
        let has_entry = || is_field(key) && self.keys().iter().any(|stored| entry_of(stored, key).is_some());
        let is_stored = || self.stored.stored_value(key).is_some() && !self.is_replaced(key);
        self.changed(key).map_or_else(is_stored, |value| value.is_some()) || has_entry()
    }

    /// Takes the keys of the values that could not be decrypted, with the reasons, to report them.
    pub(crate) fn take_undecryptable(&self) -> Vec<(String, &'static str)> {
        self.stored.take_undecryptable()
    }

    /// Returns whether the key is that of an entry whose field was written or removed as a whole.
    fn is_replaced(&self, key: &str) -> bool {
        key.split_once('/').is_some_and(|(name, _)| self.pending.replaces_entries(name))
    }

    /// Returns what the request made of a key, if it changed it.
    fn changed(&self, key: &str) -> Option<Option<&[u8]>> {
        self.pending.change(key).map(|change| self.made_of(change))
    }

    fn made_of<'s>(&'s self, change: &'s Change) -> Option<&'s [u8]> {
        match &change.kind {
            ChangeKind::Write { value } | ChangeKind::Put { value } | ChangeKind::Merge { mine: value, .. } => {
                value.as_deref()
            }
            ChangeKind::Add { .. } => self.sums.iter().find(|(key, _)| *key == change.key).map(|(_, sum)| &**sum),
        }
    }
}

impl StoredFields for Overlay<'_> {
    fn field(&self, field: &Field) -> Option<&[u8]> {
        self.changed(field.key).unwrap_or_else(|| self.stored.field(field))
    }

    // What is stored in one piece was written later: a write of an entry takes the piece apart.
    fn entries<'s>(
        &'s self,
        field: &'s Field,
        moved: &mut dyn Iterator<Item = (&'s str, &'s [u8])>,
    ) -> BTreeMap<Cow<'s, str>, &'s [u8]> {
        let names: Vec<&str> = field.names().collect();
        let kept = names.into_iter().rev().filter(|name| !self.pending.replaces_entries(name));
        let stored = kept.flat_map(|name| self.stored.entries(name));
        let mut entries: BTreeMap<Cow<'_, str>, &[u8]> =
            stored.chain(moved).map(|(entry, bytes)| (entry.into(), bytes)).collect();
        for change in self.pending.changes() {
            let Some(entry) = entry_of(&change.key, field.key) else { continue };
            match self.made_of(change) {
                Some(bytes) => entries.insert(entry.into(), bytes),
                None => entries.remove(entry),
            };
        }
        entries
    }
}
