//! The store suite on [`MySqlStore`], with a real MariaDB server.

use sessionkit::sql::MySqlStore;
use sessionkit_tests::harness::sql::mysql_pool;
use sessionkit_tests::servers::mariadb::MariaDbServer;
use sessionkit_tests::servers::unique_name;
use sqlx::mysql::MySqlPoolOptions;

async fn store() -> MySqlStore {
    let store = MySqlStore::builder(mysql_pool(&MariaDbServer::shared().url())).table(unique_name());
    let store = store.build().expect("a good name");
    store.create_schema().await.expect("the server is up");
    store
}

mod plain {
    sessionkit_core::store_suite!(super::store);
}

mod serializable {
    use super::*;

    async fn store() -> MySqlStore {
        let pool = MySqlPoolOptions::new().after_connect(|connection, _| {
            let set = sqlx::query("SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE");
            Box::pin(async move { set.execute(connection).await.map(drop) })
        });
        let pool = pool.connect_lazy(&MariaDbServer::shared().url()).expect("a URL");
        let store = MySqlStore::builder(pool).table(unique_name()).build().expect("a good name");
        store.create_schema().await.expect("the server is up");
        store
    }

    sessionkit_core::store_suite!(store);
}
