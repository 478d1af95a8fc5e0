//! The settings of a store.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

use super::RedisStore;
use crate::redis::connection::Connection;
use crate::redis::endpoint::Endpoint;
use crate::redis::failure::RedisSetupError;
use crate::redis::subscription::Subscription;

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
    runtime: Option<Handle>,
    #[cfg(feature = "redis-tls")]
    ca_certificate: Option<Vec<u8>>,
}

impl RedisStoreBuilder {
    pub(super) fn new(url: String) -> Self {
        Self {
            url,
            prefix: "session:".to_owned(),
            connect_timeout: Duration::from_secs(1),
            runtime: None,
            #[cfg(feature = "redis-tls")]
            ca_certificate: None,
        }
    }

    /// Sets the prefix of all keys, which is `session:` by default.
    ///
    /// ```
    /// let builder = sessionkit::redis::RedisStore::builder("redis://localhost").prefix("shop:session:");
    /// ```
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// The longest time that connecting may take, greeting included, and the longest that [`ping`](RedisStore::ping) waits
    /// for its answer: one second by default. All other calls have the deadlines of the session manager.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let builder = sessionkit::redis::RedisStore::builder("redis://localhost").connect_timeout(Duration::from_secs(3));
    /// ```
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// The runtime on which the connection lives: the one in which [`build`](Self::build) is called unless told otherwise.
    /// When it ends, the store does: one that several tests share needs a runtime that outlives them.
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

    /// Builds the store. Nothing is sent before the first call. A server on another host that is reached without TLS is a
    /// warning in the log.
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
        if let Some(host) = endpoint.unencrypted_host() {
            tracing::warn!(
                target: "sessionkit",
                event = "redis_unencrypted",
                host,
                "sessions travel unencrypted to Redis on another host: write `rediss://` (feature `redis-tls`)"
            );
        }
        let connection = Connection::new(endpoint, runtime, self.connect_timeout);
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
