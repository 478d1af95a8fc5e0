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

/// Six nodes, over which the keys are spread.
mod cluster {
    use sessionkit_tests::harness::TestStore;

    async fn store() -> TestStore {
        TestStore::redis_cluster()
    }

    sessionkit_core::store_suite!(store);
}

/// The master that sentinels name.
mod sentinel {
    use sessionkit_tests::harness::TestStore;

    async fn store() -> TestStore {
        TestStore::redis_sentinel()
    }

    sessionkit_core::store_suite!(store);
}

/// A connection that the application lends.
mod lent {
    use super::RedisServer;
    use sessionkit::redis::RedisStore;

    async fn store() -> RedisStore {
        let client = redis::Client::open(RedisServer::shared().url()).expect("the URL is valid");
        let connection = client.get_connection_manager().await.expect("the server is up");
        RedisStore::from_connection(connection, "session:")
    }

    sessionkit_core::store_suite!(store);
}

/// A connection to a cluster that the application lends.
mod lent_cluster {
    use sessionkit::redis::RedisStore;
    use sessionkit_tests::servers::redis_cluster::RedisCluster;
    use sessionkit_tests::servers::unique_name;

    async fn store() -> RedisStore {
        let nodes = RedisCluster::shared().ports().iter().map(|port| format!("redis://127.0.0.1:{port}"));
        let client = redis::cluster::ClusterClient::new(nodes).expect("the URLs are valid");
        let connection = client.get_async_connection().await.expect("the cluster is up");
        RedisStore::from_connection(connection, format!("{}:", unique_name()))
    }

    sessionkit_core::store_suite!(store);
}
