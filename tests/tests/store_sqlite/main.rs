//! Sessions in SQLite: the store suite, and what can happen to a file.

mod audit;
mod damage;
mod killed;
#[cfg(target_os = "linux")]
mod power_cut;
mod refused;
mod schema;
mod support;
mod traffic;

mod suite {
    use sessionkit::sql::SqliteStore;
    use sessionkit_tests::servers::sqlite::SqliteFile;

    async fn store() -> SqliteStore {
        SqliteFile::new().store().await
    }

    sessionkit_core::store_suite!(store);
}

mod in_memory {
    use sessionkit::sql::SqliteStore;

    async fn store() -> SqliteStore {
        SqliteStore::connect("sqlite::memory:").await.expect("memory is there")
    }

    sessionkit_core::store_suite!(store);
}

/// Two pools on one file, as two processes have them.
mod two_pools {
    use sessionkit_tests::servers::sqlite::SqliteFile;

    use crate::support::InTurn;

    async fn store() -> InTurn {
        let file = SqliteFile::new();
        InTurn::new([file.store().await, file.store().await])
    }

    sessionkit_core::store_suite!(store);
}
