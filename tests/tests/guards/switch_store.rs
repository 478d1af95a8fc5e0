//! A store that can be switched off.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sessionkit::store::{CommitOutcome, CreateOutcome, Delta, Generation, Record, SessionId, StoreError, Timestamp};
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
    async fn load(&self, id: SessionId, now: Timestamp) -> Result<Option<Record>, StoreError> {
        self.store()?.load(id, now).await
    }

    async fn create(&self, id: SessionId, record: &Record, now: Timestamp) -> Result<CreateOutcome, StoreError> {
        self.store()?.create(id, record, now).await
    }

    async fn commit(
        &self,
        id: SessionId,
        generation: Generation,
        delta: &Delta,
        now: Timestamp,
    ) -> Result<CommitOutcome, StoreError> {
        self.store()?.commit(id, generation, delta, now).await
    }

    async fn destroy(&self, id: SessionId) -> Result<bool, StoreError> {
        self.store()?.destroy(id).await
    }
}
