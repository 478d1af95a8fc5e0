//! The stores that the suite runs on.

use std::sync::Arc;

use sessionkit::MemoryStore;
use sessionkit::file::FileStore;
use sessionkit::redis::RedisStore;
use sessionkit::sql::{MySqlStore, PostgresStore, SqliteStore};
use sessionkit::store::{
    Entry, EntryKey, EntryKind, Generation, InsertOutcome, Notices, RemoveOutcome, ReplaceOutcome, Revision,
    ScanCursor, ScanPage, SessionId, Store, StoreError, StoreStats,
};
use tempfile::TempDir;

use crate::servers::redis::RedisServer;
use crate::servers::redis_cluster::RedisCluster;
use crate::servers::redis_sentinel::RedisSentinels;
use crate::servers::{temporary_directory, unique_name};

/// One of the stores.
#[derive(Clone, Debug)]
pub enum TestStore {
    /// Sessions in memory.
    Memory(Arc<MemoryStore>),
    /// Sessions in a real Redis.
    Redis(RedisStore),
    /// Sessions in several real Redis servers, which tests share.
    Fleet(RedisStore, Fleet),
    /// Sessions in the files of a directory, which goes with the last clone.
    File(FileStore, Arc<TempDir>),
    /// Sessions in a real PostgreSQL.
    Postgres(PostgresStore),
    /// Sessions in a real MariaDB.
    MySql(MySqlStore),
    /// Sessions in a SQLite file.
    Sqlite(SqliteStore),
}

/// Redis servers that belong together, and the prefix of the keys of one test.
#[derive(Clone, Debug)]
pub enum Fleet {
    /// A cluster of six nodes.
    Cluster(String),
    /// A master, two replicas and three sentinels.
    Sentinels(String),
}

impl Fleet {
    /// Returns the names of all keys.
    pub fn keys(&self) -> Vec<String> {
        match self {
            Self::Cluster(prefix) => RedisCluster::shared().keys(&format!("{prefix}*")),
            Self::Sentinels(prefix) => {
                let servers = RedisSentinels::shared();
                let keys = servers.cli(servers.master(), &["--raw", "KEYS", &format!("{prefix}*")]);
                keys.lines().filter(|key| !key.is_empty()).map(str::to_owned).collect()
            }
        }
    }

    /// Returns the string under a key.
    pub fn value(&self, key: &str) -> Vec<u8> {
        let port = match self {
            Self::Cluster(_) => {
                let cluster = RedisCluster::shared();
                cluster.ports()[cluster.master_of(key)]
            }
            Self::Sentinels(_) => {
                let servers = RedisSentinels::shared();
                servers.ports()[servers.master()]
            }
        };
        let client = redis::Client::open(format!("redis://127.0.0.1:{port}")).expect("the URL is valid");
        let mut connection = client.get_connection().expect("the server answers");
        redis::cmd("GET").arg(key).query(&mut connection).expect("the server answers")
    }
}

impl TestStore {
    /// An empty memory store.
    pub fn memory() -> Self {
        Self::Memory(Arc::new(MemoryStore::new()))
    }

    /// A store in a new directory.
    pub fn file() -> Self {
        let directory = temporary_directory("file-");
        let store = FileStore::open(directory.path().join("sessions")).expect("a new directory can be opened");
        Self::File(store, Arc::new(directory))
    }

    /// A store in this server.
    pub fn redis(server: &RedisServer) -> Self {
        Self::Redis(RedisStore::new(&server.url()).expect("the server's URL is valid"))
    }

    /// A store in the cluster that all tests share, under keys that no other test uses.
    pub fn redis_cluster() -> Self {
        Self::in_fleet(&RedisCluster::shared().url(), Fleet::Cluster)
    }

    /// A store in the master that sentinels watch, which all tests share, under keys that no other test uses.
    pub fn redis_sentinel() -> Self {
        Self::in_fleet(&RedisSentinels::shared().url(), Fleet::Sentinels)
    }

    fn in_fleet(url: &str, fleet: fn(String) -> Fleet) -> Self {
        let prefix = format!("{}:", unique_name());
        let store = RedisStore::builder(url).prefix(&*prefix).build();
        Self::Fleet(store.expect("the URL is valid"), fleet(prefix))
    }

    /// A store at this URL that waits for a minute for a connection, so that only its caller gives up earlier.
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
            TestStore::Redis(store) | TestStore::Fleet(store, _) => store.$call($($argument),*).await,
            TestStore::File(store, _) => store.$call($($argument),*).await,
            TestStore::Postgres(store) => store.$call($($argument),*).await,
            TestStore::MySql(store) => store.$call($($argument),*).await,
            TestStore::Sqlite(store) => store.$call($($argument),*).await,
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

    async fn sweep(&self, limit: usize) -> Result<usize, StoreError> {
        either!(self, sweep(limit))
    }

    async fn stats(&self) -> Result<StoreStats, StoreError> {
        either!(self, stats())
    }

    fn notices(&self) -> Option<&Notices> {
        match self {
            Self::Memory(store) => store.notices(),
            Self::Redis(store) | Self::Fleet(store, _) => store.notices(),
            Self::File(store, _) => store.notices(),
            Self::Postgres(store) => store.notices(),
            Self::MySql(store) => store.notices(),
            Self::Sqlite(store) => store.notices(),
        }
    }

    fn announce(&self, id: SessionId) {
        match self {
            Self::Memory(store) => store.announce(id),
            Self::Redis(store) | Self::Fleet(store, _) => store.announce(id),
            Self::File(store, _) => store.announce(id),
            Self::Postgres(store) => store.announce(id),
            Self::MySql(store) => store.announce(id),
            Self::Sqlite(store) => store.announce(id),
        }
    }
}
