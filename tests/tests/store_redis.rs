//! The store suite on [`RedisStore`], with a real server.

use sessionkit::redis::RedisStore;
use sessionkit_tests::servers::redis::RedisServer;

/// A store on the server that all tests of this process share.
async fn store() -> RedisStore {
    RedisStore::connect(&RedisServer::shared().url()).await.expect("the server is up")
}

mod protocol_2 {
    sessionkit_core::store_suite!(super::store);
}

/// Replies look different in the newer protocol.
mod protocol_3 {
    use super::{RedisServer, RedisStore};

    async fn store() -> RedisStore {
        let url = format!("{}?protocol=resp3", RedisServer::shared().url());
        RedisStore::connect(&url).await.expect("the server is up")
    }

    sessionkit_core::store_suite!(store);
}
