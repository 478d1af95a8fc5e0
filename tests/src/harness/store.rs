//! The stores that the suite runs on.

use sessionkit::MemoryStore;
use sessionkit::redis::RedisStore;
use sessionkit::store::{
    CommitOutcome, CreateOutcome, Delta, DeviceIndex, Generation, Notices, Record, SessionId, Store, StoreError,
    Timestamp,
};

use crate::servers::redis::RedisServer;

/// One of the stores.
#[derive(Clone, Debug)]
pub enum TestStore {
    /// Sessions in memory.
    Memory(std::sync::Arc<MemoryStore>),
    /// Sessions in a real Redis.
    Redis(RedisStore),
}

impl TestStore {
    /// An empty memory store.
    pub fn memory() -> Self {
        Self::Memory(std::sync::Arc::new(MemoryStore::new()))
    }

    /// A store in this server.
    pub fn redis(server: &RedisServer) -> Self {
        Self::Redis(RedisStore::new(&server.url()).expect("the server's URL is valid"))
    }

    /// A store at this URL that waits for a minute for a connection, so that whoever gives up earlier is its caller.
    pub fn patient_redis(url: &str) -> Self {
        let minute = std::time::Duration::from_secs(60);
        let store = RedisStore::builder(url).connect_timeout(minute).build();
        Self::Redis(store.expect("the server's URL is valid"))
    }
}

macro_rules! either {
    ($store:expr, $call:ident($($argument:expr),*)) => {
        match $store {
            TestStore::Memory(store) => store.$call($($argument),*).await,
            TestStore::Redis(store) => store.$call($($argument),*).await,
        }
    };
}

impl Store for TestStore {
    async fn load(&self, id: SessionId, now: Timestamp) -> Result<Option<Record>, StoreError> {
        either!(self, load(id, now))
    }

    async fn create(&self, id: SessionId, record: &Record, now: Timestamp) -> Result<CreateOutcome, StoreError> {
        either!(self, create(id, record, now))
    }

    async fn commit(
        &self,
        id: SessionId,
        generation: Generation,
        delta: &Delta,
        now: Timestamp,
    ) -> Result<CommitOutcome, StoreError> {
        either!(self, commit(id, generation, delta, now))
    }

    async fn destroy(&self, id: SessionId) -> Result<bool, StoreError> {
        either!(self, destroy(id))
    }

    fn device_index(&self) -> Option<&dyn DeviceIndex> {
        match self {
            Self::Memory(store) => store.device_index(),
            Self::Redis(store) => store.device_index(),
        }
    }

    fn notices(&self) -> Option<&Notices> {
        match self {
            Self::Memory(store) => store.notices(),
            Self::Redis(store) => store.notices(),
        }
    }
}
