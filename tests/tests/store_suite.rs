//! The suite has to fail where a store is wrong.

use std::collections::{HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use sessionkit_core::testing::suite::{
    abandoned, entries, insert, keeping, linear, many, notices, remove, replace, run, scan,
};
use sessionkit_core::{
    Entry, EntryKey, EntryKind, Generation, InsertOutcome, MemoryStore, Notices, RemoveOutcome, ReplaceOutcome,
    Revision, ScanCursor, ScanPage, SessionId, Store, StoreError,
};

/// A fault of a store.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    /// Nothing.
    None,
    /// A replacement makes the entry if it is not there.
    Upserts,
    /// A replacement compares the first half of the revision.
    ComparesCounter,
    /// A replacement compares the second half of the revision.
    ComparesRandom,
    /// A replacement compares, and then sets; others come between.
    ComparesThenSets,
    /// A replacement removes the entry, and then inserts the new one; others come between.
    RemovesThenInserts,
    /// A replacement brings back an entry that is removed while it runs.
    Revives,
    /// A replacement that is refused shows what was to be stored.
    ShowsAnother,
    /// An insert overwrites what is there.
    InsertOverwrites,
    /// A removal leaves the entry.
    LeavesTheEntry,
    /// A removal removes whatever is there.
    IgnoresTheGeneration,
    /// A removal refuses what is too short to have a generation.
    KeepsWhatIsShort,
    /// Keys that differ in the case of their letters are one.
    IgnoresCase,
    /// An entry ends where a small column of bytes does.
    CutsOff,
    /// An entry ends at a zero byte behind its front.
    EndsAtZero,
    /// A replacement leaves the time of the entry as it was.
    KeepsTheTime,
    /// An entry that may be forgotten does not load, and takes up its key.
    HidesWhatMayGo,
    /// A scan leaves out what was replaced since it began.
    ScanForgetsReplaced,
    /// A scan counts how far it came in the order of the last writes.
    ScanCounts,
    /// A scan finds nothing.
    ScanIsEmpty,
    /// A scan never ends.
    ScanIsEndless,
    /// A scan is not possible: no fault.
    CannotScan,
    /// Entries come in the order of the database.
    ManyInAnotherOrder,
    /// Entries that are absent leave no gap.
    ManyWithoutGaps,
    /// Nobody is told of an announcement.
    AnnouncesNothing,
}

struct Faulty {
    fault: Fault,
    store: MemoryStore,
    /// The keys in the order of their last writes, and when each may go.
    written: Mutex<Vec<EntryKey>>,
    ends: Mutex<HashMap<EntryKey, Instant>>,
    /// The keys that were replaced since a scan began.
    replaced: Mutex<HashSet<EntryKey>>,
}

impl Faulty {
    fn new(fault: Fault) -> Self {
        let store = MemoryStore::new();
        Self { fault, store, written: Mutex::default(), ends: Mutex::default(), replaced: Mutex::default() }
    }

    fn key(&self, key: &EntryKey) -> EntryKey {
        let text = key.to_string();
        let (name, last) = text.split_at(text.len() - 1);
        match self.fault {
            Fault::IgnoresCase => EntryKey::parse(&format!("{}{last}", name.to_lowercase())).unwrap(),
            _ => *key,
        }
    }

    fn stored(&self, entry: &Entry) -> Entry {
        let bytes = entry.bytes();
        let length = match self.fault {
            Fault::CutsOff => bytes.len().min(65_535),
            Fault::EndsAtZero => bytes.iter().skip(30).position(|byte| *byte == 0).map_or(bytes.len(), |at| at + 30),
            _ => return entry.clone(),
        };
        Entry::from_bytes(&bytes[..length])
    }

    fn note_write(&self, key: &EntryKey) {
        let mut written = self.written.lock().unwrap();
        written.retain(|other| other != key);
        written.push(*key);
    }

    fn begin_time(&self, key: &EntryKey, entry: &Entry) {
        let end = Instant::now().checked_add(entry.reclaim_in().min(std::time::Duration::from_secs(86_400))).unwrap();
        self.ends.lock().unwrap().insert(*key, end);
    }

    fn is_over(&self, key: &EntryKey) -> bool {
        self.ends.lock().unwrap().get(key).is_some_and(|end| Instant::now() >= *end)
    }

    /// Stores an entry whatever is there.
    async fn set(&self, key: &EntryKey, entry: &Entry) -> Result<(), StoreError> {
        while self.store.insert(key, entry).await? == InsertOutcome::Taken {
            let Some(found) = self.store.load(key).await? else { continue };
            let revision = found.revision().expect("whole entries are set");
            if self.store.replace(key, revision, entry).await? == ReplaceOutcome::Replaced {
                break;
            }
        }
        Ok(())
    }

    /// Replaces without comparing, after an `await`.
    async fn replace_in_steps(
        &self,
        key: &EntryKey,
        found: Entry,
        entry: &Entry,
    ) -> Result<ReplaceOutcome, StoreError> {
        tokio::task::yield_now().await;
        match self.fault {
            Fault::RemovesThenInserts => {
                self.store.remove(key, found.generation().unwrap()).await?;
                tokio::task::yield_now().await;
                self.store.insert(key, entry).await?;
            }
            Fault::Revives => match self.store.replace(key, found.revision().unwrap(), entry).await? {
                ReplaceOutcome::Absent => {
                    self.store.insert(key, entry).await?;
                }
                outcome => return Ok(outcome),
            },
            _ => self.set(key, entry).await?,
        }
        Ok(ReplaceOutcome::Replaced)
    }
}

impl Store for Faulty {
    async fn load(&self, key: &EntryKey) -> Result<Option<Entry>, StoreError> {
        let key = &self.key(key);
        if self.fault == Fault::HidesWhatMayGo && self.is_over(key) {
            return Ok(None);
        }
        let loaded = self.store.load(key).await?;
        if let Some(loaded) = &loaded
            && self.fault == Fault::KeepsTheTime
            && self.is_over(key)
        {
            self.store.remove(key, loaded.generation().unwrap()).await?;
            return Ok(None);
        }
        Ok(loaded)
    }

    async fn insert(&self, key: &EntryKey, entry: &Entry) -> Result<InsertOutcome, StoreError> {
        let (key, entry) = (&self.key(key), &self.stored(entry));
        self.note_write(key);
        self.begin_time(key, entry);
        if self.fault == Fault::InsertOverwrites {
            self.set(key, entry).await?;
            return Ok(InsertOutcome::Inserted);
        }
        self.store.insert(key, entry).await
    }

    async fn replace(&self, key: &EntryKey, held: Revision, entry: &Entry) -> Result<ReplaceOutcome, StoreError> {
        let (key, entry) = (&self.key(key), &self.stored(entry));
        self.note_write(key);
        self.replaced.lock().unwrap().insert(*key);
        if self.fault != Fault::KeepsTheTime {
            self.begin_time(key, entry);
        }
        let found = self.store.load(key).await?;
        let same = |part: std::ops::Range<usize>| {
            let revision = found.as_ref().and_then(Entry::revision)?;
            (revision.as_bytes()[part.clone()] == held.as_bytes()[part]).then_some(revision)
        };
        match self.fault {
            Fault::ComparesCounter => self.store.replace(key, same(0..4).unwrap_or(held), entry).await,
            Fault::ComparesRandom => self.store.replace(key, same(4..8).unwrap_or(held), entry).await,
            Fault::ComparesThenSets | Fault::RemovesThenInserts | Fault::Revives
                if found.as_ref().is_some_and(|found| found.has_revision(held)) =>
            {
                self.replace_in_steps(key, found.unwrap(), entry).await
            }
            Fault::Upserts if found.is_none() => {
                self.store.insert(key, entry).await?;
                Ok(ReplaceOutcome::Replaced)
            }
            Fault::ShowsAnother => Ok(match self.store.replace(key, held, entry).await? {
                ReplaceOutcome::Changed(_) => ReplaceOutcome::Changed(entry.clone()),
                outcome => outcome,
            }),
            _ => self.store.replace(key, held, entry).await,
        }
    }

    async fn remove(&self, key: &EntryKey, held: Generation) -> Result<RemoveOutcome, StoreError> {
        let key = &self.key(key);
        let found = self.store.load(key).await?;
        if found.as_ref().is_some_and(|found| found.may_be_removed(held)) {
            self.written.lock().unwrap().retain(|other| other != key);
        }
        match (self.fault, found) {
            (Fault::LeavesTheEntry, Some(found)) if found.may_be_removed(held) => Ok(RemoveOutcome::Removed),
            (Fault::KeepsWhatIsShort, Some(found)) if found.generation().is_none() => Ok(RemoveOutcome::Changed(found)),
            (Fault::IgnoresTheGeneration, Some(found)) => {
                self.store.remove(key, found.generation().unwrap_or(held)).await
            }
            _ => self.store.remove(key, held).await,
        }
    }

    async fn scan(&self, kind: EntryKind, after: Option<&ScanCursor>, limit: usize) -> Result<ScanPage, StoreError> {
        if after.is_none() {
            self.replaced.lock().unwrap().clear();
        }
        match self.fault {
            Fault::CannotScan => Err(StoreError::unsupported("this store cannot list what it holds")),
            Fault::ScanIsEmpty => Ok(ScanPage::default()),
            Fault::ScanIsEndless => {
                let next = Some(ScanCursor::from_bytes([0]));
                Ok(ScanPage { next, ..self.store.scan(kind, None, limit).await? })
            }
            Fault::ScanForgetsReplaced => {
                let mut page = self.store.scan(kind, after, limit).await?;
                let replaced = self.replaced.lock().unwrap();
                page.entries.retain(|(key, _)| !replaced.contains(key));
                Ok(page)
            }
            Fault::ScanCounts => {
                let begin = after.map_or(0, |after| usize::from_be_bytes(after.as_bytes().try_into().unwrap()));
                let mut keys = self.written.lock().unwrap().clone();
                keys.retain(|key| key.kind() == kind);
                let mut page = ScanPage::default();
                for key in keys.iter().skip(begin).take(limit) {
                    page.entries.extend(self.store.load(key).await?.map(|entry| (*key, entry)));
                }
                page.next = (begin + limit < keys.len()).then(|| ScanCursor::from_bytes((begin + limit).to_be_bytes()));
                Ok(page)
            }
            _ => self.store.scan(kind, after, limit).await,
        }
    }

    async fn load_many(&self, keys: &[EntryKey]) -> Result<Vec<Option<Entry>>, StoreError> {
        let mut sorted = keys.to_vec();
        sorted.sort();
        match self.fault {
            Fault::ManyInAnotherOrder => self.store.load_many(&sorted).await,
            Fault::ManyWithoutGaps => {
                let mut entries = self.store.load_many(keys).await?;
                entries.retain(Option::is_some);
                entries.resize(keys.len(), None);
                Ok(entries)
            }
            _ => self.store.load_many(keys).await,
        }
    }

    fn notices(&self) -> Option<&Notices> {
        self.store.notices()
    }

    fn announce(&self, id: SessionId) {
        if self.fault != Fault::AnnouncesNothing {
            self.store.announce(id);
        }
    }
}

/// Returns the complaint of the suite about a store with this fault; `None` if the suite lets the store pass.
fn complaint<F: Future<Output = ()>>(fault: Fault, check: impl FnOnce(Arc<Faulty>) -> F) -> Option<String> {
    let panic = catch_unwind(AssertUnwindSafe(|| run(|| async { Faulty::new(fault) }, check))).err()?;
    let text = panic.downcast_ref::<String>().cloned();
    Some(text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).expect("a panic says something"))
}

/// Asserts that each check fails for a store with this fault, and says so in these words.
macro_rules! assert_found {
    ($fault:ident: $($module:ident::$check:ident => $words:literal),+ $(,)?) => {
        $(assert_complains(stringify!($check), $words, complaint(Fault::$fault, $module::$check));)+
    };
}

#[track_caller]
fn assert_complains(check: &str, words: &str, complaint: Option<String>) {
    let complaint = complaint.unwrap_or_else(|| panic!("{check} lets the store pass"));
    assert!(complaint.contains(words), "{check} finds something else: {complaint}");
}

/// Otherwise the faults are found in the wrapper.
mod without_a_fault {
    use super::{Fault, Faulty};

    sessionkit::store_suite!(|| async { Faulty::new(Fault::None) });
}

#[test]
fn a_store_that_makes_entries_of_replacements_fails() {
    assert_found!(Upserts:
        replace::a_replacement_makes_no_entry => "[P5]",
        remove::what_is_removed_stays_gone => "[P1]",
        remove::nothing_revives_what_is_removed_meanwhile => "[P1]",
        linear::concurrent_calls_have_an_order => "[P1]",
    );
}

#[test]
fn a_store_that_compares_half_of_the_revision_fails() {
    assert_found!(ComparesCounter: replace::a_replacement_compares_the_whole_revision => "in its random number, counts");
    assert_found!(ComparesRandom: replace::a_replacement_compares_the_whole_revision => "in its counter, counts");
}

#[test]
fn a_store_that_loses_an_update_fails() {
    assert_found!(ComparesThenSets:
        replace::every_change_is_kept => "[P2]",
        replace::one_of_many_replacements_wins => "[P2]",
        remove::nothing_revives_what_is_removed_meanwhile => "[P1]",
        linear::concurrent_calls_have_an_order => "[P2]",
    );
}

#[test]
fn a_store_whose_replacement_is_not_whole_fails() {
    assert_found!(RemovesThenInserts:
        abandoned::an_abandoned_call_happens_whole_or_not_at_all => "[P6]",
        replace::every_change_is_kept => "[P2]",
        linear::concurrent_calls_have_an_order => "[P6]",
    );
}

#[test]
fn a_store_that_revives_what_is_removed_meanwhile_fails() {
    assert_found!(Revives:
        remove::nothing_revives_what_is_removed_meanwhile => "[P1]",
        remove::a_removal_ends_what_is_replaced_meanwhile => "[P1]",
        remove::a_removal_and_a_rotation_have_an_order => "[P1]",
    );
}

#[test]
fn a_store_that_does_not_show_the_newest_entry_fails() {
    assert_found!(ShowsAnother:
        replace::a_replacement_compares_the_whole_revision => "[P2]",
        replace::what_is_too_short_is_replaced_under_the_default => "[P6]",
        replace::every_change_is_kept => "[P2]",
    );
}

#[test]
fn a_store_whose_insert_overwrites_fails() {
    assert_found!(InsertOverwrites:
        insert::a_key_is_taken_once => "[P5]",
        insert::one_of_many_inserts_wins => "[P5]",
    );
}

#[test]
fn a_store_that_leaves_what_is_removed_fails() {
    assert_found!(LeavesTheEntry:
        remove::a_removal_compares_the_generation => "[P1]",
        remove::what_is_removed_stays_gone => "[P1]",
        scan::a_scan_finds_every_entry => "[P1]",
    );
}

#[test]
fn a_store_that_removes_under_another_generation_fails() {
    assert_found!(IgnoresTheGeneration:
        remove::a_removal_compares_the_generation => "[P3]",
        remove::a_removal_and_a_rotation_have_an_order => "[P3]",
    );
}

#[test]
fn a_store_that_cannot_remove_what_is_too_short_fails() {
    assert_found!(KeepsWhatIsShort: remove::what_is_too_short_is_removed => "[P1]");
}

#[test]
fn a_store_that_confuses_keys_fails() {
    assert_found!(IgnoresCase: entries::keys_are_kept_apart => "is not");
}

#[test]
fn a_store_that_cuts_entries_off_fails() {
    assert_found!(CutsOff:
        entries::an_entry_of_any_length_comes_back => "[P6] 65536 bytes",
        entries::a_replaced_entry_comes_back => "[P6]",
    );
    assert_found!(EndsAtZero: entries::any_bytes_come_back => "[P6]");
}

#[test]
fn a_store_that_forgets_too_early_fails() {
    assert_found!(KeepsTheTime: keeping::a_replacement_begins_the_time_anew => "[P2]");
}

#[test]
fn a_store_that_hides_what_it_still_holds_fails() {
    assert_found!(HidesWhatMayGo: keeping::what_may_be_forgotten_is_there_or_not => "does not load");
}

#[test]
fn a_store_whose_scan_misses_something_fails() {
    assert_found!(ScanForgetsReplaced: scan::a_scan_misses_nothing_while_entries_change => "[P9]");
    assert_found!(ScanCounts: scan::a_scan_misses_nothing_while_entries_change => "[P9]");
    assert_found!(ScanIsEmpty: scan::a_scan_finds_every_entry => "[P9]");
}

#[test]
fn a_store_whose_scan_never_ends_fails() {
    assert_found!(ScanIsEndless: scan::a_scan_finds_every_entry => "[P9] a scan ends");
}

#[test]
fn a_store_that_says_that_it_cannot_scan_passes() {
    assert_eq!(complaint(Fault::CannotScan, scan::a_scan_finds_every_entry), None);
    assert_eq!(complaint(Fault::CannotScan, scan::a_scan_misses_nothing_while_entries_change), None);
}

#[test]
fn a_store_that_mixes_up_many_entries_fails() {
    assert_found!(ManyInAnotherOrder: many::entries_come_in_the_order_of_their_keys => "[P6]");
    assert_found!(ManyWithoutGaps: many::entries_come_in_the_order_of_their_keys => "[P6]");
}

#[test]
fn a_store_that_announces_nothing_fails() {
    assert_found!(AnnouncesNothing: notices::a_watcher_is_told_of_an_announcement => "is announced");
}
