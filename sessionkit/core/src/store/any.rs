//! A store whose type is chosen when the program runs.

use std::fmt;
use std::sync::Arc;

use crate::record::front::{EntryKind, Generation, Revision};
use crate::store::dynamic::DynStore;
use crate::store::entry::Entry;
use crate::store::error::StoreError;
use crate::store::key::EntryKey;
use crate::store::notices::Notices;
use crate::store::stats::StoreStats;
use crate::store::{InsertOutcome, RemoveOutcome, ReplaceOutcome, ScanCursor, ScanPage, Store};
use crate::token::SessionId;

/// A store whose type is chosen when the program runs. Clones are the same store.
///
/// ```
/// # mod sessionkit { pub use sessionkit_core::*; pub mod store { pub use sessionkit_core::*; } }
/// use sessionkit::MemoryStore;
/// use sessionkit::store::AnyStore;
///
/// fn store(capacity: Option<usize>) -> AnyStore {
///     match capacity {
///         Some(sessions) => AnyStore::new(MemoryStore::with_capacity(sessions)),
///         None => AnyStore::new(MemoryStore::new()),
///     }
/// }
/// # store(None);
/// ```
#[derive(Clone)]
pub struct AnyStore(Arc<dyn DynStore>);

impl AnyStore {
    /// Makes a store of a type that is not named from here on.
    pub fn new(store: impl Store) -> Self {
        Self(Arc::new(store))
    }
}

/// Names no type, and shows nothing of the store: a password may be in its URL.
impl fmt::Debug for AnyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnyStore").finish_non_exhaustive()
    }
}

impl Store for AnyStore {
    async fn load(&self, key: &EntryKey) -> Result<Option<Entry>, StoreError> {
        self.0.load(key).await
    }

    async fn insert(&self, key: &EntryKey, entry: &Entry) -> Result<InsertOutcome, StoreError> {
        self.0.insert(key, entry).await
    }

    async fn replace(&self, key: &EntryKey, held: Revision, entry: &Entry) -> Result<ReplaceOutcome, StoreError> {
        self.0.replace(key, held, entry).await
    }

    async fn remove(&self, key: &EntryKey, held: Generation) -> Result<RemoveOutcome, StoreError> {
        self.0.remove(key, held).await
    }

    async fn scan(&self, kind: EntryKind, after: Option<&ScanCursor>, limit: usize) -> Result<ScanPage, StoreError> {
        self.0.scan(kind, after, limit).await
    }

    async fn load_many(&self, keys: &[EntryKey]) -> Result<Vec<Option<Entry>>, StoreError> {
        self.0.load_many(keys).await
    }

    async fn sweep(&self, limit: usize) -> Result<usize, StoreError> {
        self.0.sweep(limit).await
    }

    async fn stats(&self) -> Result<StoreStats, StoreError> {
        self.0.stats().await
    }

    fn notices(&self) -> Option<&Notices> {
        self.0.notices()
    }

    fn announce(&self, id: SessionId) {
        self.0.announce(id);
    }
}
