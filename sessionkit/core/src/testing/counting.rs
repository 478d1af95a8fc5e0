//! A store that counts the calls to another one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::record::front::{EntryKind, Generation, Revision};
use crate::store::entry::Entry;
use crate::store::error::StoreError;
use crate::store::key::EntryKey;
use crate::store::notices::Notices;
use crate::store::stats::StoreStats;
use crate::store::{InsertOutcome, RemoveOutcome, ReplaceOutcome, ScanCursor, ScanPage, Store};
use crate::token::SessionId;

/// Counts the calls to a store. Clones count together.
#[derive(Clone, Debug)]
pub struct CountingStore<S> {
    store: S,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    load: AtomicUsize,
    insert: AtomicUsize,
    replace: AtomicUsize,
    remove: AtomicUsize,
    scan: AtomicUsize,
    load_many: AtomicUsize,
    lists: AtomicUsize,
    adoptions: AtomicUsize,
}

/// The number of calls of each kind.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Calls {
    /// Calls of [`Store::load`] for a session.
    pub load: usize,
    /// Calls of [`Store::insert`] for a session.
    pub insert: usize,
    /// Calls of [`Store::replace`] for a session.
    pub replace: usize,
    /// Calls of [`Store::remove`] for a session.
    pub remove: usize,
    /// Calls of [`Store::scan`] for sessions.
    pub scan: usize,
    /// Calls of [`Store::load_many`] for sessions.
    pub load_many: usize,
    /// All calls for the lists of users' sessions.
    pub lists: usize,
    /// All calls for the notes of what became of other systems' sessions.
    pub adoptions: usize,
}

impl Calls {
    /// Returns how many calls there were in all.
    pub fn total(&self) -> usize {
        let Self { load, insert, replace, remove, scan, load_many, lists, adoptions } = self;
        load + insert + replace + remove + scan + load_many + lists + adoptions
    }
}

impl<S: Store> CountingStore<S> {
    /// Counts the calls to `store` from now on.
    pub fn new(store: S) -> Self {
        Self { store, counts: Arc::default() }
    }

    /// Returns the store that is counted.
    pub fn inner(&self) -> &S {
        &self.store
    }

    /// Returns the calls since this was last asked.
    pub fn take(&self) -> Calls {
        let take = |count: &AtomicUsize| count.swap(0, Ordering::SeqCst);
        let counts = &self.counts;
        Calls {
            load: take(&counts.load),
            insert: take(&counts.insert),
            replace: take(&counts.replace),
            remove: take(&counts.remove),
            scan: take(&counts.scan),
            load_many: take(&counts.load_many),
            lists: take(&counts.lists),
            adoptions: take(&counts.adoptions),
        }
    }

    fn count(&self, kind: EntryKind, count: fn(&Counts) -> &AtomicUsize) {
        let count = match kind {
            EntryKind::Session => count(&self.counts),
            EntryKind::SessionList => &self.counts.lists,
            EntryKind::Adoption => &self.counts.adoptions,
        };
        count.fetch_add(1, Ordering::SeqCst);
    }
}

impl<S: Store> Store for CountingStore<S> {
    async fn load(&self, key: &EntryKey) -> Result<Option<Entry>, StoreError> {
        self.count(key.kind(), |counts| &counts.load);
        self.store.load(key).await
    }

    async fn insert(&self, key: &EntryKey, entry: &Entry) -> Result<InsertOutcome, StoreError> {
        self.count(key.kind(), |counts| &counts.insert);
        self.store.insert(key, entry).await
    }

    async fn replace(&self, key: &EntryKey, held: Revision, entry: &Entry) -> Result<ReplaceOutcome, StoreError> {
        self.count(key.kind(), |counts| &counts.replace);
        self.store.replace(key, held, entry).await
    }

    async fn remove(&self, key: &EntryKey, held: Generation) -> Result<RemoveOutcome, StoreError> {
        self.count(key.kind(), |counts| &counts.remove);
        self.store.remove(key, held).await
    }

    async fn scan(&self, kind: EntryKind, after: Option<&ScanCursor>, limit: usize) -> Result<ScanPage, StoreError> {
        self.count(kind, |counts| &counts.scan);
        self.store.scan(kind, after, limit).await
    }

    async fn load_many(&self, keys: &[EntryKey]) -> Result<Vec<Option<Entry>>, StoreError> {
        let kind = keys.first().map_or(EntryKind::Session, EntryKey::kind);
        self.count(kind, |counts| &counts.load_many);
        self.store.load_many(keys).await
    }

    async fn sweep(&self, limit: usize) -> Result<usize, StoreError> {
        self.store.sweep(limit).await
    }

    async fn stats(&self) -> Result<StoreStats, StoreError> {
        self.store.stats().await
    }

    fn notices(&self) -> Option<&Notices> {
        self.store.notices()
    }

    fn announce(&self, id: SessionId) {
        self.store.announce(id);
    }
}
