//! The entries of one kind, by their names and in the order in which they may go.

use std::collections::BTreeSet;
use std::mem;
use std::sync::Arc;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry as Place;

use crate::record::packing;
use crate::store::entry::Entry;
use crate::token::SessionId;

/// The number of reclaimable entries that a write removes at most, besides its own work.
const SWEEP: usize = 4;

/// The entries of one kind.
///
/// The order knows an entry by its tag, since a million of them take room. Entries with one tag that may go at the same
/// time share a place in the order, which stays until the last of them has gone.
pub(super) struct Table<K> {
    held: HashTable<(K, Held)>,
    anonymous: Order,
    logged_in: Order,
}

type Order = BTreeSet<(u32, u32)>;

/// A name that tells the entries of a kind apart. It is shorter than the key, of which a million take room.
pub(super) trait Name: Copy + Eq {
    /// Returns a part of the name, which is random or a hash. It is not the part that chose the shard.
    fn tag(&self) -> u32;
}

/// An entry, and when it may go.
pub(super) struct Held {
    pub(super) bytes: Arc<[u8]>,
    pub(super) reclaim_at: u32,
}

/// The turn of an entry to go: the anonymous ones go before the others, and the earlier before the later.
#[derive(Clone, Copy, Eq, PartialEq)]
struct Turn {
    logged_in: bool,
    reclaim_at: u32,
}

impl<K: Name> Table<K> {
    pub(super) fn get(&self, name: &K) -> Option<&Held> {
        self.held.find(hash(name.tag()), |(other, _)| other == name).map(|(_, held)| held)
    }

    /// Stores an entry, in the place of the one that has this name if there is one.
    pub(super) fn put(&mut self, name: K, held: Held) {
        let (tag, turn) = (name.tag(), held.turn());
        match self.held.entry(hash(tag), |(other, _)| *other == name, |(other, _)| hash(other.tag())) {
            Place::Occupied(mut place) => {
                let replaced = mem::replace(&mut place.get_mut().1, held).turn();
                // Most writes change nothing about the order.
                if replaced == turn {
                    return;
                }
                self.leave_order(tag, replaced);
            }
            Place::Vacant(place) => drop(place.insert((name, held))),
        }
        self.order(turn.logged_in).insert((turn.reclaim_at, tag));
    }

    pub(super) fn remove(&mut self, name: &K) {
        self.remove_where(name.tag(), |(other, _)| other == name);
    }

    /// Makes room: a client that floods the store with visits logs nobody out while there are other anonymous sessions.
    pub(super) fn remove_soonest(&mut self) {
        let first =
            |logged_in, order: &Order| order.first().map(|&(reclaim_at, tag)| (tag, Turn { logged_in, reclaim_at }));
        if let Some((tag, turn)) = first(false, &self.anonymous).or_else(|| first(true, &self.logged_in)) {
            self.remove_at(tag, turn);
        }
    }

    /// Removes a few entries that may go by now.
    pub(super) fn sweep(&mut self, now: u32) {
        self.sweep_at_most(SWEEP, now);
    }

    /// Removes this many anonymous entries that may go by now, and this many others; returns how many there were.
    pub(super) fn sweep_at_most(&mut self, most: usize, now: u32) -> usize {
        let mut removed = 0;
        for logged_in in [false, true] {
            for _ in 0..most {
                match self.order(logged_in).first() {
                    Some(&(reclaim_at, tag)) if now >= reclaim_at => {
                        self.remove_at(tag, Turn { logged_in, reclaim_at });
                        removed += 1;
                    }
                    _ => break,
                }
            }
        }
        removed
    }

    pub(super) fn len(&self) -> usize {
        self.held.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &Held)> {
        self.held.iter().map(|(name, held)| (name, held))
    }

    fn remove_at(&mut self, tag: u32, turn: Turn) {
        self.remove_where(tag, |(name, held)| name.tag() == tag && held.turn() == turn);
    }

    fn remove_where(&mut self, tag: u32, is_meant: impl FnMut(&(K, Held)) -> bool) {
        if let Ok(place) = self.held.find_entry(hash(tag), is_meant) {
            let ((_, removed), _) = place.remove();
            self.leave_order(tag, removed.turn());
        }
    }

    /// Takes a turn out of the order, unless another entry shares it.
    fn leave_order(&mut self, tag: u32, turn: Turn) {
        let shares = |(name, held): &(K, Held)| name.tag() == tag && held.turn() == turn;
        if self.held.find(hash(tag), shares).is_none() {
            self.order(turn.logged_in).remove(&(turn.reclaim_at, tag));
        }
    }

    fn order(&mut self, logged_in: bool) -> &mut Order {
        if logged_in { &mut self.logged_in } else { &mut self.anonymous }
    }
}

impl<K> Default for Table<K> {
    fn default() -> Self {
        Self { held: HashTable::new(), anonymous: Order::new(), logged_in: Order::new() }
    }
}

impl Held {
    pub(super) fn entry(&self) -> Entry {
        Entry::from_bytes(self.bytes.clone())
    }

    fn turn(&self) -> Turn {
        Turn { logged_in: packing::has_user(&self.bytes), reclaim_at: self.reclaim_at }
    }
}

impl Name for SessionId {
    fn tag(&self) -> u32 {
        last_four(self.as_bytes())
    }
}

impl Name for [u8; 32] {
    fn tag(&self) -> u32 {
        last_four(self)
    }
}

fn last_four(bytes: &[u8]) -> u32 {
    bytes.last_chunk().map_or(0, |last| u32::from_le_bytes(*last))
}

/// Spreads a tag: a hash table looks at the lowest bits and at the highest.
fn hash(tag: u32) -> u64 {
    u64::from(tag) << 32 | u64::from(tag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Record;
    use crate::record::header::Header;
    use crate::time::Timestamp;
    use crate::token::SecretHash;

    /// Makes a name that has its tag in common with every other.
    fn name(number: u8) -> [u8; 32] {
        let mut name = [0; 32];
        name[0] = number;
        name
    }

    fn held(user: Option<&str>, reclaim_at: u32) -> Held {
        let now = Timestamp::from_unix_seconds(1_700_000_000);
        let mut header = Header::new(SecretHash::from_bytes([0; 32]), now, std::time::Duration::from_secs(60), None);
        header.user_id = user.map(Into::into);
        Held { bytes: Record::new(header).as_bytes().clone(), reclaim_at }
    }

    fn names(table: &Table<[u8; 32]>) -> Vec<u8> {
        let mut names: Vec<u8> = table.iter().map(|(name, _)| name[0]).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn entries_with_one_tag_that_go_together_all_go() {
        let mut table = Table::default();
        for number in 0..3 {
            table.put(name(number), held(None, 7));
        }
        table.put(name(3), held(None, 8));
        table.put(name(4), held(Some("ada"), 1));
        table.put(name(5), held(None, u32::MAX));
        table.remove(&name(5));
        table.remove_soonest();
        assert_eq!(table.len(), 4);
        assert!(names(&table).ends_with(&[3, 4]), "one of those that go first");
        table.sweep(7);
        assert_eq!(names(&table), [3]);
        table.remove_soonest();
        table.remove_soonest();
        assert!(names(&table).is_empty() && table.anonymous.is_empty() && table.logged_in.is_empty());
    }

    #[test]
    fn an_entry_that_moves_in_the_order_leaves_those_that_shared_its_turn() {
        let mut table = Table::default();
        table.put(name(0), held(None, 7));
        table.put(name(1), held(None, 7));
        table.put(name(0), held(None, 9));
        table.put(name(1), held(Some("ada"), 7));
        assert_eq!((table.anonymous.len(), table.logged_in.len()), (1, 1));
        table.put(name(2), held(None, 9));
        table.remove(&name(0));
        table.sweep(8);
        assert_eq!(names(&table), [2]);
        table.sweep(9);
        assert!(names(&table).is_empty() && table.anonymous.is_empty() && table.logged_in.is_empty());
    }
}
