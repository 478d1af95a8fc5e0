//! A store whose calls wait until the test lets them go on.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use sessionkit::store::{
    CommitOutcome, CreateOutcome, Delta, DeviceIndex, Generation, Notices, Record, SessionId, Store, StoreError,
    Timestamp,
};

use super::Gates;

/// Holds calls to another store at gates, before or after they reach it: `before commit`, `after create` and so on, one
/// pair for each call. Nothing is held until the test says so. Clones hold together.
#[derive(Clone, Debug)]
pub struct HeldStore<S> {
    store: S,
    gates: Gates,
    held: Arc<Mutex<HashSet<&'static str>>>,
}

impl<S: Store> HeldStore<S> {
    /// Wraps a store; its calls will wait at these gates.
    pub fn new(store: S, gates: &Gates) -> Self {
        Self { store, gates: gates.clone(), held: Arc::default() }
    }

    /// From now on, calls wait at this gate.
    pub fn hold(&self, gate: &'static str) {
        self.held.lock().expect("no holder panics").insert(gate);
    }

    /// From now on, calls pass this gate; those that wait at it go on waiting.
    pub fn release(&self, gate: &'static str) {
        self.held.lock().expect("no holder panics").remove(gate);
    }

    async fn at(&self, gate: &str) {
        let held = self.held.lock().expect("no holder panics").contains(gate);
        if held {
            self.gates.pass(gate).await;
        }
    }
}

impl<S: Store> Store for HeldStore<S> {
    async fn load(&self, id: SessionId, now: Timestamp) -> Result<Option<Record>, StoreError> {
        self.at("before load").await;
        let loaded = self.store.load(id, now).await;
        self.at("after load").await;
        loaded
    }

    async fn create(&self, id: SessionId, record: &Record, now: Timestamp) -> Result<CreateOutcome, StoreError> {
        self.at("before create").await;
        let created = self.store.create(id, record, now).await;
        self.at("after create").await;
        created
    }

    async fn commit(
        &self,
        id: SessionId,
        generation: Generation,
        delta: &Delta,
        now: Timestamp,
    ) -> Result<CommitOutcome, StoreError> {
        self.at("before commit").await;
        let committed = self.store.commit(id, generation, delta, now).await;
        self.at("after commit").await;
        committed
    }

    async fn destroy(&self, id: SessionId) -> Result<bool, StoreError> {
        self.at("before destroy").await;
        let destroyed = self.store.destroy(id).await;
        self.at("after destroy").await;
        destroyed
    }

    fn device_index(&self) -> Option<&dyn DeviceIndex> {
        self.store.device_index()
    }

    fn notices(&self) -> Option<&Notices> {
        self.store.notices()
    }
}
