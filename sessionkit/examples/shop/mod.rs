//! What the shop is made of, whatever the framework.

pub(crate) mod accounts;
pub(crate) mod catalog;
pub(crate) mod forms;
pub(crate) mod pages;
pub(crate) mod state;

use std::env;
use std::error::Error;

use sessionkit::redis::RedisStore;
use sessionkit::{MemoryStore, SessionConfig, SessionManager};

/// The sessions of the shop: in this process, or in the Redis that `SESSION_STORE` names.
pub(crate) async fn sessions() -> Result<SessionManager, Box<dyn Error>> {
    // The shop speaks plain http on localhost; behind https this is `SessionConfig::default()`.
    let config = SessionConfig::dev();
    Ok(match env::var("SESSION_STORE") {
        Ok(url) => SessionManager::new(RedisStore::connect(&url).await?, config),
        Err(_) => SessionManager::new(MemoryStore::new(), config),
    })
}

/// Where the shop listens.
pub(crate) fn address() -> String {
    env::var("ADDR").unwrap_or_else(|_| "127.0.0.1:3000".to_owned())
}

/// Says where the shop is, and who can log in.
pub(crate) fn announce(address: std::net::SocketAddr) {
    println!("The shop is open: http://{address}");
    println!("Demo accounts: ada / ada (admin), bob / bob");
}
