//! Sessions in Redis or Valkey.
//!
//! Each session is one string under `session:<id>`, and the list of a user's sessions one under `session:@<hash>`. Loading
//! is one `GET`; a commit is one small script that compares the revision and sets. The bytes are described in the
//! [guide](crate::guide::writing_a_store); the program `sessionkit inspect` (feature `cli`) shows them.
//!
//! # Running the server
//!
//! - **Eviction.** Set `maxmemory-policy noeviction`, or give sessions a server of their own. Under any other policy Redis
//!   drops sessions to make room, and users are logged out. With `noeviction` a full server refuses writes; sessions are
//!   still read, and logouts still work.
//! - **Durability.** Without persistence a restart logs everybody out. `appendonly yes` loses a second at most;
//!   `appendfsync always` loses nothing that was acknowledged. A logout that is lost that way is undone.
//! - **Replicas and failover.** The store talks to masters, and never to a replica: a replica may be
//!   behind, and a session that was logged out would open once more. The store asks the server what it is when it connects,
//!   after a silence, and every second beside the traffic. After a failover let the address, such as a service address or
//!   a proxy, lead to the new master. Nothing has to be restarted, even if connections to the old one stay open. A write
//!   that the old master refused is sent to the new one. Reads move within a second as a rule, and always within two.
//!   A failover can lose the last writes; `min-replicas-to-write 1` bounds how many. A proxy that does not pass on `HELLO`
//!   has to close the connections to a server that was demoted.
//! - **Outages.** The first attempt to connect after a break comes at once. Further ones come after pauses that are drawn at
//!   random and grow to a quarter of a second, and a request waits for them within its deadline.
//! - **Clocks.** The manager's clock decides when a session ends. Redis reclaims the memory five minutes later.
//! - **Figures.** Redis counts the keys of a database, not those under a prefix, so [`Store::stats`](crate::Store::stats) is
//!   unsupported: one call could not look at millions of keys. `sessionkit stats` scans in pages, and says so.
//! - **Permissions.** A restricted user needs `+eval +evalsha +get +getrange +mget +set +unlink +ping +select +publish
//!   +subscribe`, `+scan` for ending everyone's sessions, `~session:*` and `&session:*`. Without
//!   `+publish`, `+subscribe` and `&session:*` sessions end all the same, but a [`SessionHandle`] that waits for it learns it
//!   only when it next looks, see the setting `watch_interval`. `HELLO`, with which the store asks the server what it is,
//!   needs no permission.
//! - **Cluster and Sentinel.** `redis+cluster://..` follows the slots of a cluster, and `redis+sentinel://..` the master that
//!   sentinels name: see [the guide](crate::guide::redis).
//!
//! [`SessionHandle`]: crate::manual::SessionHandle

mod address;
mod backoff;
mod cluster;
mod connection;
mod connections;
mod endpoint;
mod failure;
#[cfg(test)]
mod fake;
mod lent;
mod link;
mod replication;
mod role;
mod scan;
mod script;
mod sentinel;
mod servers;
mod store;
mod subscription;
#[cfg(feature = "redis-tls")]
mod tls;

pub use failure::RedisSetupError;
pub use store::{RedisStore, RedisStoreBuilder};
