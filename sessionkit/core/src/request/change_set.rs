//! The changes of a request by the keys that they are about.

use std::collections::BTreeMap;
use std::ops::{Bound, Deref};

use crate::data::snapshot::entry_of;
use crate::record::delta::FieldKey;
use crate::request::changes::{Change, ChangeKind};

/// The number of changes that are looked through; more are indexed, so that a request may change many keys.
const FEW: usize = 16;

/// Changes, each key at most once, in no order that matters.
#[derive(Clone, Default)]
pub(crate) struct ChangeSet {
    changes: Vec<Change>,
    /// The places of the changes once there are many of them; otherwise empty.
    index: BTreeMap<FieldKey, usize>,
    /// The size of the keys and values that are to be stored, in bytes.
    size: usize,
}

impl ChangeSet {
    /// Returns the change of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&Change> {
        self.position(key).map(|at| &self.changes[at])
    }

    /// The size of the keys and values that are to be stored besides this key, in bytes.
    pub(crate) fn size_besides(&self, key: &str) -> usize {
        self.size - self.get(key).map_or(0, size)
    }

    /// Takes a change, in the place of another one of its key.
    pub(crate) fn set(&mut self, change: Change) {
        self.size += size(&change);
        if let Some(at) = self.position(&change.key) {
            self.size -= size(&self.changes[at]);
            self.changes[at] = change;
            return;
        }
        if !self.index.is_empty() {
            self.index.insert(change.key.clone(), self.changes.len());
        }
        self.changes.push(change);
        if self.index.is_empty() && self.changes.len() > FEW {
            self.index = self.changes.iter().enumerate().map(|(at, change)| (change.key.clone(), at)).collect();
        }
    }

    /// Takes the value out of the change of a key that came from outside of its struct. The change stays.
    pub(crate) fn take_put(&mut self, key: &str) -> Option<Vec<u8>> {
        let change = self.position(key).map(|at| &mut self.changes[at])?;
        let before = size(change);
        let ChangeKind::Put { value } = &mut change.kind else { return None };
        let taken = value.take();
        self.size -= before - size(change);
        taken
    }

    /// Forgets the changes of the entries of a field.
    pub(crate) fn remove_entries(&mut self, field: &str) {
        if self.index.is_empty() {
            self.changes.retain(|change| entry_of(&change.key, field).is_none());
            self.size = self.changes.iter().map(size).sum();
            return;
        }
        // `0` is what follows `/`.
        let (first, behind) = (format!("{field}/"), format!("{field}0"));
        let entries = self.index.range::<str, _>((Bound::Included(&*first), Bound::Excluded(&*behind)));
        let entries: Vec<FieldKey> = entries.map(|(key, _)| key.clone()).collect();
        for key in entries {
            let Some(at) = self.index.remove(&key) else { continue };
            self.size -= size(&self.changes.swap_remove(at));
            if let Some(moved) = self.changes.get(at) {
                self.index.insert(moved.key.clone(), at);
            }
        }
    }

    /// Forgets the changes that `keep` does not want.
    pub(crate) fn retain(&mut self, keep: impl FnMut(&Change) -> bool) {
        self.changes.retain(keep);
        self.size = self.changes.iter().map(size).sum();
        self.index = BTreeMap::new();
        if self.changes.len() > FEW {
            self.index = self.changes.iter().enumerate().map(|(at, change)| (change.key.clone(), at)).collect();
        }
    }

    fn position(&self, key: &str) -> Option<usize> {
        if self.index.is_empty() {
            #[cfg(test)]
            tests::LOOKED_THROUGH.with(|count| count.set(count.get() + self.changes.len()));
            return self.changes.iter().position(|change| change.key == key);
        }
        self.index.get(key).copied()
    }
}

fn size(change: &Change) -> usize {
    match &change.kind {
        ChangeKind::Write { value } | ChangeKind::Put { value } | ChangeKind::Merge { mine: value, .. } => {
            value.as_ref().map_or(0, |value| change.key.len() + value.len())
        }
        ChangeKind::Add { .. } => change.key.len(),
    }
}

impl Deref for ChangeSet {
    type Target = [Change];

    fn deref(&self) -> &[Change] {
        &self.changes
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::request::changes::Changes;

    thread_local! {
        /// The changes that were compared with a key one by one.
        pub(super) static LOOKED_THROUGH: Cell<usize> = const { Cell::new(0) };
    }

    fn sum(set: &ChangeSet) -> usize {
        set.iter().map(size).sum()
    }

    #[test]
    fn many_keys_are_not_looked_through_one_by_one() {
        let mut changes = Changes::default();
        for round in 0..2 {
            for number in 0..8000 {
                changes.put(&format!("key{number}"), Some(vec![b'1'; round + 1]));
            }
        }
        assert_eq!(changes.changes.len(), 8000);
        let looked = LOOKED_THROUGH.with(Cell::get);
        assert!(looked <= 2 * FEW * FEW, "{looked}");
        assert_eq!(changes.changes.size, sum(&changes.changes));
        assert!(changes.changes.get("key7999").is_some() && changes.changes.get("key8000").is_none());
    }

    #[test]
    fn a_whole_takes_the_place_of_few_entries_and_of_many() {
        for entries in [3, 100] {
            let mut changes = Changes::default();
            for number in 0..entries {
                changes.put(&format!("shop.items/{number}"), Some(vec![b'1']));
                changes.put(&format!("other{number}"), Some(vec![b'1']));
            }
            changes.put("shop.items", Some(b"{}".to_vec()));
            assert_eq!(changes.changes.len(), entries + 1);
            assert!(changes.changes.get("shop.items/0").is_none() && changes.changes.get("shop.items").is_some());
            for number in 0..entries {
                let key = format!("other{number}");
                assert!(changes.changes.get(&key).is_some_and(|change| change.key == key));
            }
            assert_eq!(changes.changes.size, sum(&changes.changes));
            changes.changes.take_put("shop.items");
            assert_eq!(changes.changes.size, sum(&changes.changes));
        }
    }
}
