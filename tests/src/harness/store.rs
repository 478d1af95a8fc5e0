//! The stores that the suite runs on.

use sessionkit::MemoryStore;
use sessionkit::redis::RedisStore;
use sessionkit::store::{
    Entry, EntryKey, EntryKind, Generation, InsertOutcome, Notices, RemoveOutcome, ReplaceOutcome, Revision,
    ScanCursor, ScanPage, SessionId, Store, StoreError,
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
    async fn load(&self, key: &EntryKey) -> Result<Option<Entry>, StoreError> {
        either!(self, load(key))
    }

    async fn insert(&self, key: &EntryKey, entry: &Entry) -> Result<InsertOutcome, StoreError> {
        either!(self, insert(key, entry))
    }

    async fn replace(&self, key: &EntryKey, held: Revision, entry: &Entry) -> Result<ReplaceOutcome, StoreError> {
        either!(self, replace(key, held, entry))
    }

    async fn remove(&self, key: &EntryKey, held: Generation) -> Result<RemoveOutcome, StoreError> {
        either!(self, remove(key, held))
    }

    async fn scan(&self, kind: EntryKind, after: Option<&ScanCursor>, limit: usize) -> Result<ScanPage, StoreError> {
        either!(self, scan(kind, after, limit))
    }

    async fn load_many(&self, keys: &[EntryKey]) -> Result<Vec<Option<Entry>>, StoreError> {
        either!(self, load_many(keys))
    }

    fn notices(&self) -> Option<&Notices> {
        match self {
            Self::Memory(store) => store.notices(),
            Self::Redis(store) => store.notices(),
        }
    }

    fn announce(&self, id: SessionId) {
        match self {
            Self::Memory(store) => store.announce(id),
            Self::Redis(store) => store.announce(id),
        }
    }
}
