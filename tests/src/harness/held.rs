//! A store whose calls wait until the test lets them go on.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use sessionkit::store::{
    Entry, EntryKey, EntryKind, Generation, InsertOutcome, Notices, RemoveOutcome, ReplaceOutcome, Revision,
    ScanCursor, ScanPage, SessionId, Store, StoreError, StoreStats,
};

use super::Gates;

/// Holds calls to another store at gates, before or after they reach it: `before replace`, `after insert` and so on, one
/// pair for each call on a session; those on the list of a user's sessions have names of their own, `before load of a list`. Nothing is held until the test says so. Clones hold together.
#[derive(Clone, Debug)]
pub struct HeldStore<S> {
    store: S,
    gates: Gates,
    held: Arc<Mutex<HashSet<String>>>,
}

impl<S: Store> HeldStore<S> {
    /// Wraps a store; its calls will wait at these gates.
    pub fn new(store: S, gates: &Gates) -> Self {
        Self { store, gates: gates.clone(), held: Arc::default() }
    }

    /// From now on, calls wait at this gate.
    pub fn hold(&self, gate: &str) {
        self.held.lock().expect("no holder panics").insert(gate.to_owned());
    }

    /// From now on, calls pass this gate; those that wait at it go on waiting.
    pub fn release(&self, gate: &str) {
        self.held.lock().expect("no holder panics").remove(gate);
    }

    async fn at(&self, key: &EntryKey, gate: &str) {
        match key.kind() {
            EntryKind::SessionList => self.pass(&format!("{gate} of a list")).await,
            EntryKind::Adoption => self.pass(&format!("{gate} of an adoption")).await,
            _ => self.pass(gate).await,
        }
    }

    async fn pass(&self, gate: &str) {
        let held = self.held.lock().expect("no holder panics").contains(gate);
        if held {
            self.gates.pass(gate).await;
        }
    }
}

impl<S: Store> Store for HeldStore<S> {
    async fn load(&self, key: &EntryKey) -> Result<Option<Entry>, StoreError> {
        self.at(key, "before load").await;
        let answer = self.store.load(key).await;
        self.at(key, "after load").await;
        answer
    }

    async fn insert(&self, key: &EntryKey, entry: &Entry) -> Result<InsertOutcome, StoreError> {
        self.at(key, "before insert").await;
        let answer = self.store.insert(key, entry).await;
        self.at(key, "after insert").await;
        answer
    }

    async fn replace(&self, key: &EntryKey, held: Revision, entry: &Entry) -> Result<ReplaceOutcome, StoreError> {
        self.at(key, "before replace").await;
        let answer = self.store.replace(key, held, entry).await;
        self.at(key, "after replace").await;
        answer
    }

    async fn remove(&self, key: &EntryKey, held: Generation) -> Result<RemoveOutcome, StoreError> {
        self.at(key, "before remove").await;
        let answer = self.store.remove(key, held).await;
        self.at(key, "after remove").await;
        answer
    }

    async fn scan(&self, kind: EntryKind, after: Option<&ScanCursor>, limit: usize) -> Result<ScanPage, StoreError> {
        self.pass("before scan").await;
        let answer = self.store.scan(kind, after, limit).await;
        self.pass("after scan").await;
        answer
    }

    async fn load_many(&self, keys: &[EntryKey]) -> Result<Vec<Option<Entry>>, StoreError> {
        self.pass("before load_many").await;
        let answer = self.store.load_many(keys).await;
        self.pass("after load_many").await;
        answer
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
