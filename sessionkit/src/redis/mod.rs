//! Sessions in Redis or Valkey.
//!
//! Each session is one hash under `session:<id>`, and each of its fields one field of the hash, named by its key and, as a
//! rule, readable: `HGETALL session:..` shows `cart.items` as JSON. Loading is one `HGETALL`; a commit is one script,
//! which checks everything and then writes, so it is all or nothing.
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
//! - **Clocks.** The manager's clock decides when a session ends. Redis reclaims the memory a minute later.
//! - **Permissions.** A restricted user needs `+eval +evalsha +hgetall +hmget +hget +hset +hdel +exists +expire +unlink +ping
//!   +select +publish +subscribe`, `+scan` for ending everyone's sessions, `~session:*` and `&session:*`. Without
//!   `+publish`, `+subscribe` and `&session:*` sessions end all the same, but a [`SessionHandle`] that waits for it learns it
//!   only when it next looks, see the setting `watch_interval`.
//! - **Cluster.** Every command has one key, so sessions spread over slots; following a cluster's redirections is left to a
//!   proxy.
//!
//! [`SessionHandle`]: crate::manual::SessionHandle

mod connection;
mod devices;
mod endpoint;
mod failure;
mod layout;
mod script;
mod store;
mod subscription;
#[cfg(feature = "redis-tls")]
mod tls;

pub use failure::RedisSetupError;
pub use store::{RedisStore, RedisStoreBuilder};
