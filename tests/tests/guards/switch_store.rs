//! A store that can be switched off.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sessionkit::store::{
    Entry, EntryKey, Generation, InsertOutcome, RemoveOutcome, ReplaceOutcome, Revision, StoreError,
};
use sessionkit::{MemoryStore, Store};

#[derive(Clone)]
pub(crate) struct SwitchStore {
    store: Arc<MemoryStore>,
    is_off: Arc<AtomicBool>,
}

impl SwitchStore {
    pub(crate) fn new() -> Self {
        Self { store: Arc::new(MemoryStore::new()), is_off: Arc::default() }
    }

    pub(crate) fn switch_off(&self) {
        self.is_off.store(true, Ordering::SeqCst);
    }

    fn store(&self) -> Result<&MemoryStore, StoreError> {
        if self.is_off.load(Ordering::SeqCst) { Err(StoreError::unavailable("switched off")) } else { Ok(&self.store) }
    }
}

impl Store for SwitchStore {
    async fn load(&self, key: &EntryKey) -> Result<Option<Entry>, StoreError> {
        self.store()?.load(key).await
    }

    async fn insert(&self, key: &EntryKey, entry: &Entry) -> Result<InsertOutcome, StoreError> {
        self.store()?.insert(key, entry).await
    }

    async fn replace(&self, key: &EntryKey, held: Revision, entry: &Entry) -> Result<ReplaceOutcome, StoreError> {
        self.store()?.replace(key, held, entry).await
    }

    async fn remove(&self, key: &EntryKey, held: Generation) -> Result<RemoveOutcome, StoreError> {
        self.store()?.remove(key, held).await
    }
}
