//! The least that an application with sessions in Redis does: the cookie names a key, and a request is one GET, or one
//! GET and one SET. Nothing is checked, merged, or renewed.

use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;

use crate::content::Visit;

const LIFETIME: u64 = 24 * 60 * 60;

#[derive(Clone)]
pub(crate) struct Sessions(MultiplexedConnection);

impl Sessions {
    /// Opens the kind of connection that SessionKit's store uses: one for all requests, which are pipelined on it.
    pub(crate) async fn connect(url: &str) -> Self {
        let client = redis::Client::open(url).expect("the URL is that of our own server");
        Self(client.get_multiplexed_async_connection().await.expect("our own server answers"))
    }

    pub(crate) async fn load(&self, id: &str) -> Visit {
        let stored: Vec<u8> = self.0.clone().get(id).await.expect("the server answers");
        serde_json::from_slice(&stored).expect("it holds what we stored")
    }

    pub(crate) async fn store(&self, id: &str, visit: &Visit) {
        let stored = serde_json::to_vec(visit).expect("a visit has a JSON form");
        let () = self.0.clone().set_ex(id, stored, LIFETIME).await.expect("the server answers");
    }
}

/// A new session's key.
pub(crate) fn new_id() -> String {
    let mut random = [0; 32];
    getrandom::fill(&mut random).expect("the operating system has random bytes");
    let digits: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("visit:{digits}")
}

/// The key that the cookie names.
pub(crate) fn id(cookies: &str) -> &str {
    cookies.split("; ").find_map(|cookie| cookie.strip_prefix("id=")).expect("the client has a session")
}
