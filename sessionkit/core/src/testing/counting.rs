//! A store that counts the calls to another one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::record::front::{EntryKind, Generation, Revision};
use crate::store::entry::Entry;
use crate::store::error::StoreError;
use crate::store::key::EntryKey;
use crate::store::notices::Notices;
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
}

/// How often each call was made: those on sessions one by one, those on the lists of users' sessions together.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Calls {
    /// Calls of [`Store::load`].
    pub load: usize,
    /// Calls of [`Store::insert`].
    pub insert: usize,
    /// Calls of [`Store::replace`].
    pub replace: usize,
    /// Calls of [`Store::remove`].
    pub remove: usize,
    /// Calls of [`Store::scan`], whatever they look for.
    pub scan: usize,
    /// Calls of [`Store::load_many`].
    pub load_many: usize,
    /// Calls on the list of a user's sessions.
    pub lists: usize,
}

impl Calls {
    /// Returns how many calls there were together.
    pub fn total(&self) -> usize {
        self.load + self.insert + self.replace + self.remove + self.scan + self.load_many + self.lists
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

    /// Returns the calls since the last time that this was asked.
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
        }
    }

    fn count(&self, key: &EntryKey, count: &AtomicUsize) {
        let count = if key.kind() == EntryKind::Session { count } else { &self.counts.lists };
        count.fetch_add(1, Ordering::SeqCst);
    }
}

impl<S: Store> Store for CountingStore<S> {
    async fn load(&self, key: &EntryKey) -> Result<Option<Entry>, StoreError> {
        self.count(key, &self.counts.load);
        self.store.load(key).await
    }

    async fn insert(&self, key: &EntryKey, entry: &Entry) -> Result<InsertOutcome, StoreError> {
        self.count(key, &self.counts.insert);
        self.store.insert(key, entry).await
    }

    async fn replace(&self, key: &EntryKey, held: Revision, entry: &Entry) -> Result<ReplaceOutcome, StoreError> {
        self.count(key, &self.counts.replace);
        self.store.replace(key, held, entry).await
    }

    async fn remove(&self, key: &EntryKey, held: Generation) -> Result<RemoveOutcome, StoreError> {
        self.count(key, &self.counts.remove);
        self.store.remove(key, held).await
    }

    async fn scan(&self, kind: EntryKind, after: Option<&ScanCursor>, limit: usize) -> Result<ScanPage, StoreError> {
        self.counts.scan.fetch_add(1, Ordering::SeqCst);
        self.store.scan(kind, after, limit).await
    }

    async fn load_many(&self, keys: &[EntryKey]) -> Result<Vec<Option<Entry>>, StoreError> {
        self.counts.load_many.fetch_add(1, Ordering::SeqCst);
        self.store.load_many(keys).await
    }

    fn notices(&self) -> Option<&Notices> {
        self.store.notices()
    }

    fn announce(&self, id: SessionId) {
        self.store.announce(id);
    }
}
