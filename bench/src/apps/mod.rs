//! The same application once per candidate: `/fill` begins a session, `/untouched` does not ask for it, `/read` reads
//! all of it, `/write` reads all of it and changes one item.

pub mod actix;
pub mod axum;
mod by_hand;
pub mod devices;
pub mod guards;

use std::time::Duration;

use sessionkit::redis::RedisStore;
use sessionkit::{MemoryStore, SessionConfig, SessionManager};

use crate::candidate::Backend;

/// SessionKit's part that is the same on both frameworks.
async fn manager(backend: &Backend) -> SessionManager {
    match backend {
        // A bound that no measurement meets.
        Backend::Memory => SessionManager::new(MemoryStore::with_capacity(2_000_000), SessionConfig::default()),
        Backend::Redis(url) => {
            let store = RedisStore::new(url).expect("the URL is that of our own server");
            SessionManager::new(store, SessionConfig::default())
        }
        Backend::Database(url) => {
            let store = sessionkit::connect(url).await.expect("our own server answers");
            // A disk may be slow. The peers wait for it without end.
            let long = Duration::from_secs(30);
            let config = SessionConfig::builder().load_deadline(long).commit_deadline(long);
            SessionManager::new(store, config.build().expect("the settings agree"))
        }
    }
}
