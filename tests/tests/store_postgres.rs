//! The store suite on [`PostgresStore`], with a real server.

use sessionkit::sql::PostgresStore;
use sessionkit_tests::harness::sql::postgres_pool;
use sessionkit_tests::servers::postgres::PostgresServer;
use sessionkit_tests::servers::unique_name;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

async fn store() -> PostgresStore {
    let store = PostgresStore::builder(postgres_pool(&PostgresServer::shared().url())).table(unique_name());
    let store = store.build().expect("a good name");
    store.create_schema().await.expect("the server is up");
    store
}

mod plain {
    sessionkit_core::store_suite!(super::store);
}

/// A conflict that the database reports as an error, and not as a row that does not match.
mod serializable {
    use super::*;

    async fn store() -> PostgresStore {
        let options: PgConnectOptions = PostgresServer::shared().url().parse().expect("a URL");
        let options = options.options([("default_transaction_isolation", "serializable")]);
        let store = PostgresStore::builder(PgPoolOptions::new().connect_lazy_with(options)).table(unique_name());
        let store = store.build().expect("a good name");
        store.create_schema().await.expect("the server is up");
        store
    }

    sessionkit_core::store_suite!(store);
}

/// Each statement gets another connection of a few.
mod behind_pgbouncer {
    use std::sync::OnceLock;

    use sessionkit_tests::servers::pgbouncer::PgBouncer;

    use super::*;

    async fn store() -> PostgresStore {
        static BOUNCER: OnceLock<PgBouncer> = OnceLock::new();
        let bouncer = BOUNCER.get_or_init(|| PgBouncer::start(PostgresServer::shared(), 3));
        let store = PostgresStore::builder(postgres_pool(&bouncer.url())).prepared_statements(false);
        let store = store.table(unique_name()).build().expect("a good name");
        store.create_schema().await.expect("the server is up");
        store
    }

    sessionkit_core::store_suite!(store);
}
