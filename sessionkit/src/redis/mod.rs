//! Sessions in Redis or Valkey.
//!
//! Each session is one string under `session:<id>`, and the list of a user's sessions one under `session:@<hash>`. Loading
//! is one `GET`; a commit is one small script that compares the revision and sets. The bytes are described in the
//! [format of a record](crate::store::Record); `sessionkit inspect` shows them.
//!
//! # Running the server
//!
//! - **Eviction.** Set `maxmemory-policy noeviction`, or give sessions a server of their own. Under any other policy Redis
//!   drops sessions to make room, and users are logged out. With `noeviction` a full server refuses writes; sessions are
//!   still read, and logouts still work.
//! - **Durability.** Without persistence a restart logs everybody out. `appendonly yes` loses a second at most;
//!   `appendfsync always` loses nothing that was acknowledged. A logout that is lost that way is undone.
//! - **Replicas.** The store talks to one server. Never let it talk to a replica: a replica may be behind, and a session
//!   that was logged out would open once more. A failover to one can lose the last writes.
//! - **Clocks.** The manager's clock decides when a session ends. Redis reclaims the memory five minutes later.
//! - **Permissions.** A restricted user needs `+eval +evalsha +get +getrange +mget +set +unlink +ping +select +publish
//!   +subscribe`, `+scan` for ending everyone's sessions, `~session:*` and `&session:*`. Without
//!   `+publish`, `+subscribe` and `&session:*` sessions end all the same, but a [`SessionHandle`] that waits for it learns it
//!   only when it next looks, see the setting `watch_interval`.
//! - **Cluster.** Every command has one key, so sessions spread over slots; following a cluster's redirections is left to a
//!   proxy.
//!
//! [`SessionHandle`]: crate::manual::SessionHandle

mod connection;
mod endpoint;
mod failure;
mod script;
mod store;
mod subscription;
#[cfg(feature = "redis-tls")]
mod tls;

pub use failure::RedisSetupError;
pub use store::{RedisStore, RedisStoreBuilder};
