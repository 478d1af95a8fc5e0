//! The store.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ::redis::{Cmd, Value, cmd};
use sessionkit_core::{
    CommitOutcome, CreateOutcome, Delta, DeviceIndex, Generation, Header, Notices, Receipt, Record, SessionId, Store,
    StoreError, Timestamp,
};
use tokio::runtime::Handle;

use super::connection::Connection;
use super::endpoint::Endpoint;
use super::failure::{Failure, RedisSetupError};
use super::layout::{self, Pair};
use super::script::{Arguments, COMMIT, CREATE, DESTROY, OneKeyScript};
use super::subscription::Subscription;

/// Sessions in Redis or Valkey: for more than one server, and for sessions that outlive a restart.
///
/// All clones share one connection, on which their commands are pipelined. When it breaks, or the server no longer
/// answers, the next call opens another; nothing has to be rebuilt, and the store can be built while the server is down.
/// Where somebody awaits [`SessionHandle::ended`](crate::manual::SessionHandle::ended) there is a second one, on which
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
    connection: Connection,
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

    /// Builds a store and makes sure that its server answers.
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
        Ok(store)
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
    ///     .response_timeout(Duration::from_millis(300))
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder(url: impl Into<String>) -> RedisStoreBuilder {
        RedisStoreBuilder {
            url: url.into(),
            prefix: "session:".to_owned(),
            connect_timeout: Duration::from_secs(1),
            response_timeout: Duration::from_secs(1),
            runtime: None,
            #[cfg(feature = "redis-tls")]
            ca_certificate: None,
        }
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
        self.connection.call(&cmd("PING")).await.map_err(Failure::of_read)?;
        Ok(())
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

    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    pub(super) async fn call(&self, command: &Cmd) -> Result<Value, Failure> {
        self.connection.call(command).await
    }

    /// Runs a script, giving it to the server first if it does not have it.
    pub(super) async fn run(
        &self,
        script: &OneKeyScript,
        key: &str,
        arguments: &Arguments,
    ) -> Result<Value, StoreError> {
        let reply = match self.connection.call(&script.by_hash(key, arguments)).await {
            Err(failure) if failure.is_unknown_script() => {
                self.connection.call(&script.by_source(key, arguments)).await
            }
            reply => reply,
        };
        reply.map_err(Failure::of_write)
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").field("server", &self.connection).field("prefix", &self.prefix).finish()
    }
}

impl Store for RedisStore {
    async fn load(&self, id: SessionId, _: Timestamp) -> Result<Option<Record>, StoreError> {
        let key = self.key(id);
        let mut command = cmd("HGETALL");
        command.arg(&key);
        let reply = match self.connection.call(&command).await {
            // Reading twice does no harm, and the server may just have been restarted.
            Err(Failure::Broken(_)) => self.connection.call(&command).await,
            reply => reply,
        };
        let reply = reply.map_err(|failure| match failure.is_wrong_type() {
            true => StoreError::corrupt(&key),
            false => failure.of_read(),
        })?;
        let pairs = pairs(reply).ok_or_else(|| StoreError::corrupt(&key))?;
        if pairs.is_empty() {
            return Ok(None);
        }
        let record = layout::read(&pairs).map_err(corrupt_field)?;
        Ok(Some(record))
    }

    async fn create(&self, id: SessionId, record: &Record, now: Timestamp) -> Result<CreateOutcome, StoreError> {
        match self.run(&CREATE, &self.key(id), &Arguments::of_create(record, now)).await? {
            Value::Int(1) => Ok(CreateOutcome::Created),
            Value::Int(0) => Ok(CreateOutcome::Taken),
            _ => Err(unexpected_reply()),
        }
    }

    async fn commit(
        &self,
        id: SessionId,
        generation: Generation,
        delta: &Delta,
        now: Timestamp,
    ) -> Result<CommitOutcome, StoreError> {
        let arguments = Arguments::of_commit(generation, delta, now)?;
        let reply = self.run(&COMMIT, &self.key(id), &arguments).await?;
        let Value::Array(reply) = reply else { return Err(unexpected_reply()) };
        let mut reply = reply.into_iter();
        let Some(Value::BulkString(outcome)) = reply.next() else { return Err(unexpected_reply()) };
        let details = reply.next();
        match (&*outcome, details) {
            (b"committed", Some(Value::BulkString(header))) => {
                let header = Header::unpack(&header).ok_or_else(unexpected_reply)?;
                Ok(CommitOutcome::Committed(Receipt::of(&header)))
            }
            (b"conflict", Some(fields)) => {
                let pairs = pairs(fields).ok_or_else(unexpected_reply)?;
                Ok(CommitOutcome::Conflict(layout::read(&pairs).map_err(corrupt_field)?))
            }
            (b"stale", _) => Ok(CommitOutcome::Stale),
            (b"gone", _) => Ok(CommitOutcome::Gone),
            (b"corrupt", Some(Value::BulkString(field))) => {
                Err(corrupt_field(String::from_utf8_lossy(&field).into_owned()))
            }
            _ => Err(unexpected_reply()),
        }
    }

    async fn destroy(&self, id: SessionId) -> Result<bool, StoreError> {
        match self.run(&DESTROY, &self.key(id), &Arguments::default()).await? {
            Value::Int(removed) => Ok(removed > 0),
            _ => Err(unexpected_reply()),
        }
    }

    fn device_index(&self) -> Option<&dyn DeviceIndex> {
        Some(self)
    }

    fn notices(&self) -> Option<&Notices> {
        Some(self.subscription.notices())
    }
}

/// The fields of a hash, as either version of the protocol sends them.
pub(super) fn pairs(value: Value) -> Option<Vec<Pair>> {
    let pair = |name, value| match (name, value) {
        (Value::BulkString(name), Value::BulkString(value)) => Some((name, value)),
        _ => None,
    };
    match value {
        Value::Map(entries) => entries.into_iter().map(|(name, value)| pair(name, value)).collect(),
        Value::Array(flat) => {
            let mut flat = flat.into_iter();
            let mut pairs = Vec::with_capacity(flat.len() / 2);
            while let Some(name) = flat.next() {
                pairs.push(pair(name, flat.next()?)?);
            }
            Some(pairs)
        }
        _ => None,
    }
}

/// Names the field, but not the entry of a map: its key may be as sensitive as its value.
fn corrupt_field(mut name: String) -> StoreError {
    name.truncate(name.find('/').unwrap_or(name.len()));
    StoreError::corrupt(name)
}

/// A proxy or another server may answer in its own way; what it did is anybody's guess.
pub(super) fn unexpected_reply() -> StoreError {
    StoreError::unknown("the server's reply is not one of our script's")
}

/// Settings of a [`RedisStore`].
///
/// ```
/// use sessionkit::redis::RedisStore;
///
/// let runtime = tokio::runtime::Runtime::new().unwrap();
/// let store = RedisStore::builder("redis://localhost").prefix("shop:").runtime(runtime.handle().clone()).build();
/// assert!(store.is_ok());
/// ```
#[must_use = "it does nothing until `build` is called"]
pub struct RedisStoreBuilder {
    url: String,
    prefix: String,
    connect_timeout: Duration,
    response_timeout: Duration,
    runtime: Option<Handle>,
    #[cfg(feature = "redis-tls")]
    ca_certificate: Option<Vec<u8>>,
}

impl RedisStoreBuilder {
    /// What the keys begin with: `session:` unless told otherwise.
    ///
    /// ```
    /// let builder = sessionkit::redis::RedisStore::builder("redis://localhost").prefix("shop:session:");
    /// ```
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// How long connecting may take, greeting included: one second unless told otherwise.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let builder = sessionkit::redis::RedisStore::builder("redis://localhost").connect_timeout(Duration::from_secs(3));
    /// ```
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long a reply may take: one second unless told otherwise. The session manager has deadlines of its own, which are
    /// shorter.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let builder = sessionkit::redis::RedisStore::builder("redis://localhost").response_timeout(Duration::from_secs(3));
    /// ```
    pub fn response_timeout(mut self, timeout: Duration) -> Self {
        self.response_timeout = timeout;
        self
    }

    /// The runtime on which the connection lives: the one in which [`build`](Self::build) is called unless told otherwise.
    ///
    /// ```
    /// let runtime = tokio::runtime::Runtime::new().unwrap();
    /// let builder = sessionkit::redis::RedisStore::builder("redis://localhost").runtime(runtime.handle().clone());
    /// ```
    pub fn runtime(mut self, runtime: Handle) -> Self {
        self.runtime = Some(runtime);
        self
    }

    /// Trusts the authorities in this PEM file, and no others, to vouch for a `rediss://` server.
    ///
    /// ```no_run
    /// let pem = std::fs::read("ca.pem").unwrap();
    /// let builder = sessionkit::redis::RedisStore::builder("rediss://redis.internal").ca_certificate(pem);
    /// ```
    #[cfg(feature = "redis-tls")]
    pub fn ca_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.ca_certificate = Some(pem.into());
        self
    }

    /// Builds the store. Nothing is sent before the first call.
    ///
    /// # Errors
    /// Fails when a setting cannot be used, and outside of a tokio runtime unless [`runtime`](Self::runtime) names one.
    ///
    /// ```
    /// let error = sessionkit::redis::RedisStore::builder("localhost:6379").build().unwrap_err();
    /// assert!(error.to_string().contains("redis://"));
    /// ```
    pub fn build(self) -> Result<RedisStore, RedisSetupError> {
        #[cfg(feature = "redis-tls")]
        let ca = self.ca_certificate.as_deref();
        #[cfg(not(feature = "redis-tls"))]
        let ca = None;
        let endpoint = Endpoint::parse(&self.url, ca)?;
        let runtime = self.runtime.or_else(|| Handle::try_current().ok()).ok_or_else(|| {
            RedisSetupError::new("build a `RedisStore` inside a tokio runtime, or name one with `runtime(..)`")
        })?;
        let connection = Connection::new(endpoint, runtime, self.connect_timeout, self.response_timeout);
        let subscription = Arc::new(Subscription::new(connection.clone(), &self.prefix));
        Ok(RedisStore { connection, prefix: self.prefix, subscription })
    }
}

/// Shows no URL: a password may be in it.
impl fmt::Debug for RedisStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStoreBuilder").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}
