//! The settings of a store.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

use super::RedisStore;
use crate::redis::address::{Place, Target};
use crate::redis::cluster::{Cluster, hash_tag};
use crate::redis::connections::{Connections, Home};
use crate::redis::endpoint::Endpoint;
use crate::redis::failure::RedisSetupError;
use crate::redis::replication::{Replication, Wanted};
use crate::redis::servers::Servers;
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
    wanted: Option<Wanted>,
    login: Option<(Option<String>, String)>,
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
            wanted: None,
            login: None,
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

    /// The runtime on which one connection for all callers lives. Unless it is named, each runtime that calls has a
    /// connection of its own. Name one if many runtimes that end soon call, or callers outside of any. When it ends, the
    /// store does.
    ///
    /// ```
    /// let runtime = tokio::runtime::Runtime::new().unwrap();
    /// let builder = sessionkit::redis::RedisStore::builder("redis://localhost").runtime(runtime.handle().clone());
    /// ```
    pub fn runtime(mut self, runtime: Handle) -> Self {
        self.runtime = Some(runtime);
        self
    }

    /// Logs in with this password, as the user `default`, rather than with the one in the URL: for a password that is not
    /// in the URL, where special characters need encoding.
    ///
    /// ```
    /// let builder = sessionkit::redis::RedisStore::builder("redis://localhost:6379/0").password("p@ss/word");
    /// ```
    pub fn password(mut self, password: impl Into<String>) -> Self {
        self.login = Some((None, password.into()));
        self
    }

    /// Logs in as a user of the server's access control list.
    ///
    /// ```
    /// let builder = sessionkit::redis::RedisStore::builder("redis://localhost").user("web", "p@ss/word");
    /// ```
    pub fn user(mut self, name: impl Into<String>, password: impl Into<String>) -> Self {
        self.login = Some((Some(name.into()), password.into()));
        self
    }

    /// Acknowledges a write when this many replicas have it, which have this long for it: no one waits by default.
    ///
    /// If fewer have it in time, the write happened on the master, and its outcome counts as unknown. The session manager
    /// sends it again, which waits again, until its deadline; then the request is answered with 503. A logout that was
    /// acknowledged is on the replicas, and a failover to one of them does not undo it. See the section on durability of
    /// [the guide](crate::guide::redis).
    ///
    /// ```
    /// # use std::time::Duration;
    /// let builder = sessionkit::redis::RedisStore::builder("redis://localhost")
    ///     .wait_for_replicas(1, Duration::from_millis(100));
    /// ```
    pub fn wait_for_replicas(mut self, replicas: u32, timeout: Duration) -> Self {
        self.wanted = Some(Wanted { replicas, timeout });
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
        let mut target = Target::parse(&self.url)?;
        if let Some((user, password)) = &self.login {
            target.log_in(user.as_deref(), password);
        }
        let wanted = self.wanted.or(target.wanted).map(Wanted::check).transpose()?;
        let unencrypted = target.unencrypted_host().map(str::to_owned);
        let is_cluster = matches!(target.place, Place::Cluster(_));
        if is_cluster && hash_tag(self.prefix.as_bytes()).is_some() {
            return Err(RedisSetupError::new(
                "the prefix has a hash tag, `{..}`, which puts all sessions on one node of the cluster: leave out the braces",
            ));
        }
        let endpoints = Endpoint::of_target(target, ca)?;
        let home = match (self.runtime, Handle::try_current()) {
            (Some(runtime), _) => Home::for_all(runtime),
            (None, Ok(here)) => Home::for_itself(here),
            (None, Err(_)) => {
                let reason = "build a `RedisStore` inside a tokio runtime, or name one with `runtime(..)`";
                return Err(RedisSetupError::new(reason));
            }
        };
        let servers = || match &endpoints[..] {
            [endpoint] if !is_cluster => {
                Servers::One(Connections::new(endpoint.clone(), home.clone(), self.connect_timeout), home.clone())
            }
            nodes => Servers::Cluster(Cluster::new(nodes.to_vec(), home.clone(), self.connect_timeout)),
        };
        let replication = wanted.map(|wanted| Arc::new(Replication::new(servers(), wanted)));
        let servers = servers();
        if let Some(host) = unencrypted {
            tracing::warn!(
                target: "sessionkit",
                event = "redis_unencrypted",
                host,
                "sessions travel unencrypted to Redis on another host: write `rediss://` (feature `redis-tls`)"
            );
        }
        let subscription = Arc::new(Subscription::new(servers.clone(), &self.prefix));
        Ok(RedisStore { servers, replication, prefix: self.prefix, subscription })
    }
}

/// Shows no URL: a password may be in it.
impl fmt::Debug for RedisStoreBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStoreBuilder").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}
