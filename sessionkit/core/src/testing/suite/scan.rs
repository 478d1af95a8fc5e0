//! Looking at everything that a store holds.

use std::collections::HashMap;
use std::sync::Arc;

use super::fixture::{Bytes, KINDS, Seen, Slot, answered, entry_of, generation, revision};
use crate::record::front::{EntryKind, revision_of};
use crate::store::entry::Entry;
use crate::store::error::StoreErrorKind;
use crate::store::key::EntryKey;
use crate::store::{ScanCursor, ScanPage, Store};

/// After so many pages a scan does not end.
const MOST_PAGES: usize = 100_000;

/// Returns whether the store can scan. One that cannot says so for every kind.
async fn can_scan<S: Store>(store: &S) -> bool {
    let mut answers = Vec::new();
    for kind in KINDS {
        answers.push(match store.scan(kind, None, 1).await {
            Ok(_) => true,
            Err(error) if error.kind() == StoreErrorKind::Unsupported => false,
            Err(error) => {
                panic!("[P9] a store that cannot scan says so with an error of the kind Unsupported, but: {error}")
            }
        });
    }
    assert_eq!(answers[0], answers[1], "[P9] a store can scan both kinds, or none");
    answers[0]
}

async fn page<S: Store>(store: &S, kind: EntryKind, after: Option<&ScanCursor>, limit: usize) -> ScanPage {
    let page = answered(store.scan(kind, after, limit).await);
    for (key, _) in &page.entries {
        assert_eq!(key.kind(), kind, "[P9] a scan returns the keys of its kind alone");
    }
    page
}

/// The entries that a scan found: under each key all that it showed.
type FoundEntries = HashMap<EntryKey, Vec<Bytes>>;

/// Scans everything, and does something else between the pages.
async fn scan<S: Store>(store: &S, kind: EntryKind, limit: usize, mut between: impl AsyncFnMut()) -> FoundEntries {
    let (mut found, mut after) = (FoundEntries::new(), None);
    for _ in 0..MOST_PAGES {
        let ScanPage { entries, next } = page(store, kind, after.as_ref(), limit).await;
        for (key, entry) in entries {
            found.entry(key).or_default().push(Bytes::of(&entry));
        }
        // Another process may go on with what a cursor holds.
        let Some(next) = next else { return found };
        after = Some(ScanCursor::from_bytes(next.as_bytes()));
        between().await;
    }
    panic!("[P9] a scan ends, but this one goes on after {MOST_PAGES} pages");
}

/// The entry of one of many slots, written so many times.
fn written(slot: usize, times: u32) -> Entry {
    entry_of(revision(times), generation(0), format!("slot {slot}").as_bytes())
}

async fn fill<S: Store>(store: &Arc<S>, kind: EntryKind, count: usize) -> Vec<Slot<S>> {
    let slots: Vec<_> = (0..count).map(|_| Slot::new(store, kind)).collect();
    for (number, slot) in slots.iter().enumerate() {
        slot.fill(&written(number, 0)).await;
    }
    slots
}

/// A scan returns each key of a kind, with the bytes that are stored, and none that was removed before it began; however
/// small its pages are. A store that cannot scan says so.
pub async fn a_scan_finds_every_entry<S: Store>(store: Arc<S>) {
    if !can_scan(&*store).await {
        return;
    }
    for (kind, count) in KINDS.into_iter().zip([60, 20]) {
        let slots = fill(&store, kind, count).await;
        let (gone, there) = slots.split_at(5);
        for slot in gone {
            assert_eq!(slot.remove(generation(0)).await, Seen::Removed);
        }
        for limit in [1, 7, 1000] {
            let found = scan(&*store, kind, limit, async || {}).await;
            for (number, slot) in (gone.len()..).zip(there) {
                let shown =
                    found.get(&slot.key).unwrap_or_else(|| panic!("[P9] a scan finds every entry (limit {limit})"));
                let is_stored = |shown: &Bytes| *shown == Bytes::of(&written(number, 0));
                assert!(shown.iter().all(is_stored), "[P9] a scan shows what is stored, but: {shown:?}");
            }
            let revived = gone.iter().filter(|slot| found.contains_key(&slot.key)).count();
            assert_eq!(revived, 0, "[P1] a scan does not find what was removed before it began");
        }
    }
}

/// While others are inserted, replaced and removed, a scan still returns each key that is there from its beginning to its
/// end, those that are replaced meanwhile included.
pub async fn a_scan_misses_nothing_while_entries_change<S: Store>(store: Arc<S>) {
    if !can_scan(&*store).await {
        return;
    }
    for kind in KINDS {
        let slots = fill(&store, kind, 70).await;
        let (staying, going) = slots.split_at(40);
        let (mut going, mut times) = (going.chunks(2), 0);
        let found = scan(&*store, kind, 5, async || {
            // A shared store may have many pages more.
            if times == 40 {
                return;
            }
            for (number, slot) in staying.iter().enumerate() {
                let seen = slot.replace(revision(times), &written(number, times + 1)).await;
                assert_eq!(seen, Seen::Replaced, "[P2] an entry is replaced while others are scanned");
            }
            times += 1;
            Slot::new(&store, kind).fill(&written(999, 0)).await;
            // One more than is inserted, so that a place among all entries is another one's afterwards.
            for slot in going.next().unwrap_or_default() {
                assert_eq!(slot.remove(generation(0)).await, Seen::Removed, "[P1] an entry is removed meanwhile");
            }
        });
        let found = found.await;
        for (number, slot) in staying.iter().enumerate() {
            let shown = found.get(&slot.key).unwrap_or_else(|| panic!("[P9] a scan misses what is replaced meanwhile"));
            for bytes in shown {
                let was_stored = (0..=times).any(|times| *bytes == Bytes::of(&written(number, times)));
                assert!(was_stored, "[P9] a scan shows what is or was stored, but: {bytes:?}");
            }
            assert!(revision_of(&shown[0].0).is_some(), "[P6] it shows whole entries");
        }
    }
}
