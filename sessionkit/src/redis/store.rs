//! The store.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ::redis::{Cmd, Value, cmd};
use sessionkit_core::{
    Entry, EntryKey, EntryKind, Generation, InsertOutcome, Notices, RemoveOutcome, ReplaceOutcome, Revision,
    ScanCursor, ScanPage, SessionId, Store, StoreError, StoreStats,
};
use tokio::time::timeout;

use super::failure::{Failure, RedisSetupError};
use super::replication::Replication;
use super::scan::pattern;
use super::script::{INSERT_REPLICATED, OneKeyScript, REMOVE, REMOVE_REPLICATED, REPLACE, REPLACE_REPLICATED};
use super::servers::{Servers, unexpected_reply};
use super::subscription::Subscription;

pub use builder::RedisStoreBuilder;

mod builder;

/// Sessions in Redis or Valkey: for more than one server, and for sessions that outlive a restart.
///
/// Each tokio runtime that calls has one connection, which all clones share and on which their commands are pipelined:
/// one in an axum application, one for each worker of actix-web. When it breaks, or the server no longer answers or is no
/// longer the master, the next call opens another. Nothing has to be rebuilt, and the store can be built while the server
/// is down.
/// When a handler first awaits [`SessionHandle::ended`](crate::manual::SessionHandle::ended), one more is opened, on which
/// the server tells of sessions that ended.
///
/// ```no_run
/// use sessionkit::redis::RedisStore;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let store = RedisStore::connect("redis://localhost").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RedisStore {
    servers: Servers,
    replication: Option<Arc<Replication>>,
    prefix: String,
    subscription: Arc<Subscription>,
}

impl RedisStore {
    /// Builds a store for the server at `url`, which need not be up yet. Call it inside the runtime of your server.
    ///
    /// # Errors
    /// Fails when the URL is not one of a Redis server, and outside of a tokio runtime.
    ///
    /// ```
    /// use sessionkit::redis::RedisStore;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), sessionkit::redis::RedisSetupError> {
    /// let store = RedisStore::new("redis://:password@localhost:6379/2")?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(url: &str) -> Result<Self, RedisSetupError> {
        Self::builder(url).build()
    }

    /// Builds a store over a connection that the application has already: a `MultiplexedConnection`, a `ConnectionManager` or
    /// a `ClusterConnection` of the crate `redis` 1. The keys begin with `prefix`.
    ///
    /// The store then relies on what that connection does, which is less than a store from a URL does by itself:
    /// - The connection must lead to a master. Nothing checks that it still does: after a failover, a connection that stays
    ///   open to the former master reads what is old. A cluster connection must not read from replicas.
    /// - It must come back by itself. A `MultiplexedConnection` does not; a `ConnectionManager` does.
    /// - A `ClusterConnection` sends a command again if its answer was lost. The store's commands bear that.
    /// - Notices are sent to other processes, and not received: [`SessionHandle::ended`](crate::manual::SessionHandle::ended)
    ///   learns of what others do within the setting `watch_interval`.
    /// - The store cannot list what it holds, and `end_everyone` is an error.
    ///
    /// ```no_run
    /// use sessionkit::redis::RedisStore;
    ///
    /// # async fn example(client: redis::Client) -> Result<(), redis::RedisError> {
    /// let connection = client.get_multiplexed_async_connection().await?;
    /// let store = RedisStore::from_connection(connection, "shop:session:");
    /// # let _ = store;
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_connection(
        connection: impl ::redis::aio::ConnectionLike + Clone + Send + Sync + 'static,
        prefix: impl Into<String>,
    ) -> Self {
        let (servers, prefix) = (Servers::Lent(Arc::new(connection)), prefix.into());
        let subscription = Arc::new(Subscription::new(servers.clone(), &prefix));
        Self { servers, replication: None, prefix, subscription }
    }

    /// Builds a store and makes sure that its server answers. A server that may evict sessions is a warning in the log.
    ///
    /// # Errors
    /// Fails as [`new`](Self::new) does, and when the server does not answer.
    ///
    /// ```no_run
    /// use sessionkit::redis::RedisStore;
    ///
    /// # async fn example() -> Result<(), sessionkit::redis::RedisSetupError> {
    /// let store = RedisStore::connect("rediss://user:password@redis.example.org").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn connect(url: &str) -> Result<Self, RedisSetupError> {
        let store = Self::new(url)?;
        store.ping().await.map_err(|error| RedisSetupError::new(format!("{error:?}")))?;
        store.warn_of_eviction().await;
        Ok(store)
    }

    /// Warns if a server drops sessions when its memory is full. One that does not answer, or that may not be asked, is
    /// none to warn of.
    pub(crate) async fn warn_of_eviction(&self) {
        let memory = timeout(MEMORY_PATIENCE, self.servers.memory()).await.unwrap_or_default();
        let Some(policy) = memory.iter().find_map(|text| evicting_policy(text)) else { return };
        tracing::warn!(
            target: "sessionkit",
            event = "redis_may_evict",
            policy,
            "Redis drops sessions when its memory is full, and logs users out: set `maxmemory-policy noeviction`"
        );
    }

    /// Begins a store with settings of its own.
    ///
    /// ```
    /// use std::time::Duration;
    /// use sessionkit::redis::RedisStore;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), sessionkit::redis::RedisSetupError> {
    /// let store = RedisStore::builder("redis://localhost")
    ///     .prefix("shop:session:")
    ///     .connect_timeout(Duration::from_millis(300))
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder(url: impl Into<String>) -> RedisStoreBuilder {
        RedisStoreBuilder::new(url.into())
    }

    /// Asks the server whether it is there, for health checks.
    ///
    /// # Errors
    /// Fails when it does not answer.
    ///
    /// ```no_run
    /// # async fn example(store: sessionkit::redis::RedisStore) {
    /// let healthy = store.ping().await.is_ok();
    /// # }
    /// ```
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.servers.ping().await.map_err(Failure::of_read)
    }

    /// The key under which Redis keeps a session, for operators and tests.
    ///
    /// ```
    /// # use sessionkit::redis::RedisStore;
    /// use sessionkit::SessionId;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), sessionkit::redis::RedisSetupError> {
    /// let store = RedisStore::new("redis://localhost")?;
    /// assert_eq!(store.key(SessionId::from_bytes([0; 16])), "session:AAAAAAAAAAAAAAAAAAAAAA");
    /// # Ok(())
    /// # }
    /// ```
    pub fn key(&self, id: SessionId) -> String {
        format!("{}{id}", self.prefix)
    }

    fn entry_key(&self, key: &EntryKey) -> String {
        use std::fmt::Write as _;
        // In one piece: what `format!` guesses is too short.
        let mut text = String::with_capacity(self.prefix.len() + 48);
        text.push_str(&self.prefix);
        write!(text, "{key}").expect("writing to a string cannot fail");
        text
    }

    /// Runs a script, giving it to the server first if it does not have it.
    async fn run(&self, script: &OneKeyScript, key: &str, arguments: &[&[u8]]) -> Result<Value, StoreError> {
        let reply = match self.servers.call(key, &script.by_hash(key, arguments)).await {
            Err(failure) if failure.is_unknown_script() => {
                self.servers.call(key, &script.by_source(key, arguments)).await
            }
            reply => reply,
        };
        reply.map_err(|failure| written(failure, key))
    }

    /// Runs a script that writes something, and waits for the replicas.
    async fn run_replicated(
        replication: &Replication,
        script: &OneKeyScript,
        key: &str,
        arguments: &[&[u8]],
    ) -> Result<Value, StoreError> {
        let reply = match replication.call(key, script.by_hash(key, arguments)).await {
            Err(failure) if failure.is_unknown_script() => {
                replication.call(key, script.by_source(key, arguments)).await
            }
            reply => reply,
        };
        reply.map_err(|failure| written(failure, key))
    }

    async fn read_many(&self, keys: &[String]) -> Result<Vec<Option<Entry>>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let values = self.servers.read_many(keys).await.map_err(Failure::of_read)?;
        if values.len() != keys.len() {
            return Err(unexpected_reply());
        }
        values.into_iter().map(found).collect()
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").field("server", &self.servers).field("prefix", &self.prefix).finish()
    }
}

impl Store for RedisStore {
    async fn load(&self, key: &EntryKey) -> Result<Option<Entry>, StoreError> {
        let key = self.entry_key(key);
        let mut command = Cmd::with_capacity(2, 3 + key.len());
        let reply = self.servers.read(&key, command.arg("GET").arg(&key)).await;
        found(reply.map_err(|failure| match failure.is_wrong_type() {
            true => StoreError::corrupt(&key),
            false => failure.of_read(),
        })?)
    }

    async fn insert(&self, key: &EntryKey, entry: &Entry) -> Result<InsertOutcome, StoreError> {
        let key = self.entry_key(key);
        if let Some(replication) = &self.replication {
            let reclaim_in = milliseconds(entry).to_string();
            let arguments = [entry.bytes(), reclaim_in.as_bytes()];
            let run = Self::run_replicated(replication, &INSERT_REPLICATED, &key, &arguments);
            return match Box::pin(run).await? {
                Value::Int(1) => Ok(InsertOutcome::Inserted),
                Value::Int(0) => Ok(InsertOutcome::Taken),
                _ => Err(unexpected_reply()),
            };
        }
        let mut command = cmd("SET");
        command.arg(&key).arg(entry.bytes()).arg("NX").arg("PX").arg(milliseconds(entry));
        match self.servers.call(&key, &command).await.map_err(Failure::of_write)? {
            Value::Okay => Ok(InsertOutcome::Inserted),
            Value::Nil => Ok(InsertOutcome::Taken),
            _ => Err(unexpected_reply()),
        }
    }

    async fn replace(&self, key: &EntryKey, held: Revision, entry: &Entry) -> Result<ReplaceOutcome, StoreError> {
        let (key, reclaim_in) = (self.entry_key(key), milliseconds(entry).to_string());
        let arguments = [&held.as_bytes()[..], entry.bytes(), reclaim_in.as_bytes()];
        let reply = match &self.replication {
            None => self.run(&REPLACE, &key, &arguments).await?,
            Some(replication) => {
                Box::pin(Self::run_replicated(replication, &REPLACE_REPLICATED, &key, &arguments)).await?
            }
        };
        Ok(match reply {
            Value::Int(1) => ReplaceOutcome::Replaced,
            reply => found(reply)?.map_or(ReplaceOutcome::Absent, ReplaceOutcome::Changed),
        })
    }

    async fn remove(&self, key: &EntryKey, held: Generation) -> Result<RemoveOutcome, StoreError> {
        let (key, held) = (self.entry_key(key), held.to_bytes());
        let reply = match &self.replication {
            None => self.run(&REMOVE, &key, &[&held[..]]).await?,
            Some(replication) => {
                Box::pin(Self::run_replicated(replication, &REMOVE_REPLICATED, &key, &[&held[..]])).await?
            }
        };
        match reply {
            Value::Int(0) => Ok(RemoveOutcome::Absent),
            Value::Int(_) => Ok(RemoveOutcome::Removed),
            // Between the comparison and the reply nothing can happen: there is an entry.
            reply => found(reply)?.map(RemoveOutcome::Changed).ok_or_else(unexpected_reply),
        }
    }

    async fn scan(&self, kind: EntryKind, after: Option<&ScanCursor>, limit: usize) -> Result<ScanPage, StoreError> {
        let (names, next) = self.servers.scan(&pattern(&self.prefix, kind), after, limit).await?;
        let names = names.into_iter().filter_map(|name| match name {
            Value::BulkString(name) => String::from_utf8(name).ok(),
            _ => None,
        });
        let keys = names.filter_map(|name| {
            let key = EntryKey::parse(name.strip_prefix(&self.prefix)?).filter(|key| key.kind() == kind)?;
            Some((key, name))
        });
        let (keys, names): (Vec<EntryKey>, Vec<String>) = keys.unzip();
        let entries = self.read_many(&names).await?;
        let entries = keys.into_iter().zip(entries).filter_map(|(key, entry)| Some((key, entry?))).collect();
        Ok(ScanPage { entries, next })
    }

    async fn load_many(&self, keys: &[EntryKey]) -> Result<Vec<Option<Entry>>, StoreError> {
        self.read_many(&keys.iter().map(|key| self.entry_key(key)).collect::<Vec<_>>()).await
    }

    /// Redis counts the keys of a database, and not those of a prefix: an estimate would count what is not ours.
    async fn stats(&self) -> Result<StoreStats, StoreError> {
        Err(StoreError::unsupported(
            "Redis does not count keys by their prefix; `sessionkit stats` looks at all of them",
        ))
    }

    fn notices(&self) -> Option<&Notices> {
        Some(self.subscription.notices())
    }

    fn announce(&self, id: SessionId) {
        self.subscription.announce(id);
    }
}

/// The longest wait for what is only worth a warning.
const MEMORY_PATIENCE: Duration = Duration::from_millis(500);

/// Returns the policy by which a server evicts keys; `None` if it never does.
fn evicting_policy(memory: &str) -> Option<&str> {
    let value = |name| memory.lines().find_map(|line| line.trim_end().strip_prefix(name)?.strip_prefix(':'));
    let policy = value("maxmemory_policy")?;
    (value("maxmemory")? != "0" && policy != "noeviction").then_some(policy)
}

fn written(failure: Failure, key: &str) -> StoreError {
    if failure.is_wrong_type() { StoreError::corrupt(key) } else { failure.of_write() }
}

/// The longest time that Redis is asked to keep an entry, about a century: it refuses numbers that are too large.
const LONGEST: u128 = 100 * 366 * 24 * 60 * 60 * 1000;

fn milliseconds(entry: &Entry) -> u64 {
    u64::try_from(entry.reclaim_in().as_millis().clamp(1, LONGEST)).unwrap_or(u64::MAX)
}

fn found(reply: Value) -> Result<Option<Entry>, StoreError> {
    match reply {
        Value::BulkString(bytes) => Ok(Some(Entry::from_bytes(bytes))),
        Value::Nil => Ok(None),
        _ => Err(unexpected_reply()),
    }
}
