//! A store that fails when a test wants it to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::record::front::{EntryKind, Generation, Revision};
use crate::store::entry::Entry;
use crate::store::error::StoreError;
use crate::store::key::EntryKey;
use crate::store::notices::Notices;
use crate::store::stats::StoreStats;
use crate::store::{InsertOutcome, RemoveOutcome, ReplaceOutcome, ScanCursor, ScanPage, Store};
use crate::token::SessionId;

/// A store that is out of reach from [`fail`](Self::fail) to [`recover`](Self::recover): each call is the error
/// [`unavailable`](StoreError::unavailable), and changes nothing. Clones fail together.
///
/// ```
/// # use sessionkit_core as sessionkit;
/// use sessionkit::testing::FailingStore;
/// use sessionkit::{MemoryStore, SessionConfig, SessionManager};
///
/// let store = FailingStore::new(MemoryStore::new());
/// let manager = SessionManager::new(store.clone(), SessionConfig::default());
/// store.fail();
/// // Requests that use their session answer 503 now.
/// # let _ = manager;
/// ```
#[derive(Debug)]
pub struct FailingStore<S> {
    store: Arc<S>,
    fails: Arc<AtomicBool>,
}

impl<S: Store> FailingStore<S> {
    /// Makes a store that passes all calls on to `store`, for the time being.
    pub fn new(store: S) -> Self {
        Self { store: Arc::new(store), fails: Arc::default() }
    }

    /// Lets all calls fail from now on.
    pub fn fail(&self) {
        self.fails.store(true, Ordering::SeqCst);
    }

    /// Passes calls on again. What was stored before is still there.
    pub fn recover(&self) {
        self.fails.store(false, Ordering::SeqCst);
    }

    fn reached(&self) -> Result<&S, StoreError> {
        match self.fails.load(Ordering::SeqCst) {
            true => Err(StoreError::unavailable("the test lets the store fail")),
            false => Ok(&self.store),
        }
    }
}

impl<S: Store> Store for FailingStore<S> {
    async fn load(&self, key: &EntryKey) -> Result<Option<Entry>, StoreError> {
        self.reached()?.load(key).await
    }

    async fn insert(&self, key: &EntryKey, entry: &Entry) -> Result<InsertOutcome, StoreError> {
        self.reached()?.insert(key, entry).await
    }

    async fn replace(&self, key: &EntryKey, held: Revision, entry: &Entry) -> Result<ReplaceOutcome, StoreError> {
        self.reached()?.replace(key, held, entry).await
    }

    async fn remove(&self, key: &EntryKey, held: Generation) -> Result<RemoveOutcome, StoreError> {
        self.reached()?.remove(key, held).await
    }

    async fn scan(&self, kind: EntryKind, after: Option<&ScanCursor>, limit: usize) -> Result<ScanPage, StoreError> {
        self.reached()?.scan(kind, after, limit).await
    }

    async fn load_many(&self, keys: &[EntryKey]) -> Result<Vec<Option<Entry>>, StoreError> {
        self.reached()?.load_many(keys).await
    }

    async fn sweep(&self, limit: usize) -> Result<usize, StoreError> {
        self.reached()?.sweep(limit).await
    }

    async fn stats(&self) -> Result<StoreStats, StoreError> {
        self.reached()?.stats().await
    }

    fn notices(&self) -> Option<&Notices> {
        self.store.notices()
    }

    fn announce(&self, id: SessionId) {
        self.store.announce(id);
    }
}

impl<S> Clone for FailingStore<S> {
    fn clone(&self) -> Self {
        Self { store: self.store.clone(), fails: self.fails.clone() }
    }
}
