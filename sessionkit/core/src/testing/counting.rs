//! A store that counts the calls to another one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::devices::{DeviceEntry, DeviceIndex, DeviceSelection, Registered, Registration, StoreFuture};
use crate::record::Record;
use crate::record::delta::Delta;
use crate::record::header::Generation;
use crate::store::notices::Notices;
use crate::store::{CommitOutcome, CreateOutcome, Store, StoreError};
use crate::time::Timestamp;
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
    create: AtomicUsize,
    commit: AtomicUsize,
    destroy: AtomicUsize,
    index: AtomicUsize,
}

/// How often each call was made.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Calls {
    /// Calls of [`Store::load`].
    pub load: usize,
    /// Calls of [`Store::create`].
    pub create: usize,
    /// Calls of [`Store::commit`].
    pub commit: usize,
    /// Calls of [`Store::destroy`].
    pub destroy: usize,
    /// Calls of the store's [`DeviceIndex`].
    pub index: usize,
}

impl Calls {
    /// All calls together.
    pub fn total(&self) -> usize {
        self.load + self.create + self.commit + self.destroy + self.index
    }
}

impl<S: Store> CountingStore<S> {
    /// Counts the calls to `store` from now on.
    pub fn new(store: S) -> Self {
        Self { store, counts: Arc::default() }
    }

    /// The store that is counted.
    pub fn inner(&self) -> &S {
        &self.store
    }

    /// The calls since the last time that this was asked.
    pub fn take(&self) -> Calls {
        let take = |count: &AtomicUsize| count.swap(0, Ordering::SeqCst);
        let counts = &self.counts;
        Calls {
            load: take(&counts.load),
            create: take(&counts.create),
            commit: take(&counts.commit),
            destroy: take(&counts.destroy),
            index: take(&counts.index),
        }
    }
}

fn count(count: &AtomicUsize) {
    count.fetch_add(1, Ordering::SeqCst);
}

impl<S: Store> Store for CountingStore<S> {
    async fn load(&self, id: SessionId, now: Timestamp) -> Result<Option<Record>, StoreError> {
        count(&self.counts.load);
        self.store.load(id, now).await
    }

    async fn create(&self, id: SessionId, record: &Record, now: Timestamp) -> Result<CreateOutcome, StoreError> {
        count(&self.counts.create);
        self.store.create(id, record, now).await
    }

    async fn commit(
        &self,
        id: SessionId,
        generation: Generation,
        delta: &Delta,
        now: Timestamp,
    ) -> Result<CommitOutcome, StoreError> {
        count(&self.counts.commit);
        self.store.commit(id, generation, delta, now).await
    }

    async fn destroy(&self, id: SessionId) -> Result<bool, StoreError> {
        count(&self.counts.destroy);
        self.store.destroy(id).await
    }

    fn device_index(&self) -> Option<&dyn DeviceIndex> {
        self.store.device_index().map(|_| self as &dyn DeviceIndex)
    }

    fn notices(&self) -> Option<&Notices> {
        self.store.notices()
    }
}

impl<S: Store> CountingStore<S> {
    fn index(&self) -> &dyn DeviceIndex {
        count(&self.counts.index);
        self.store.device_index().expect("a store with an index is counted as one")
    }
}

impl<S: Store> DeviceIndex for CountingStore<S> {
    fn register<'a>(&'a self, user: &'a str, login: Registration) -> StoreFuture<'a, Registered> {
        self.index().register(user, login)
    }

    fn confirm<'a>(
        &'a self,
        user: &'a str,
        id: SessionId,
        ended: &'a [SessionId],
        now: Timestamp,
    ) -> StoreFuture<'a, bool> {
        self.index().confirm(user, id, ended, now)
    }

    fn entries<'a>(&'a self, user: &'a str, now: Timestamp) -> StoreFuture<'a, Vec<DeviceEntry>> {
        self.index().entries(user, now)
    }

    fn end<'a>(&'a self, user: &'a str, meant: DeviceSelection, now: Timestamp) -> StoreFuture<'a, Vec<SessionId>> {
        self.index().end(user, meant, now)
    }

    fn forget<'a>(&'a self, user: &'a str, ids: &'a [SessionId]) -> StoreFuture<'a, ()> {
        self.index().forget(user, ids)
    }

    fn prune<'a>(&'a self, user: &'a str, seen: &'a [DeviceEntry]) -> StoreFuture<'a, ()> {
        self.index().prune(user, seen)
    }

    fn users<'a>(&'a self, prefix: &'a str) -> StoreFuture<'a, Vec<String>> {
        self.index().users(prefix)
    }
}
