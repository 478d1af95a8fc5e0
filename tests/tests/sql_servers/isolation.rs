//! Conflicts between transactions that the database reports as errors.

use sessionkit::Store as _;
use sessionkit::sql::PostgresStore;
use sessionkit::store::{InsertOutcome, ReplaceOutcome};
use sessionkit_tests::harness::sql::postgres_pool;
use sessionkit_tests::servers::postgres::PostgresServer;
use sessionkit_tests::servers::unique_name;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use super::*;

/// Under REPEATABLE READ and SERIALIZABLE, a writer that waited for another one gets an error when that one commits, though
/// nothing was wrong with the statement.
#[tokio::test(flavor = "multi_thread")]
async fn a_serialization_failure_counts_as_changed() {
    for level in ["repeatable read", "serializable"] {
        let options: PgConnectOptions = PostgresServer::shared().url().parse().unwrap();
        let table = unique_name();
        let pool = PgPoolOptions::new().connect_lazy_with(options.options([("default_transaction_isolation", level)]));
        let store = PostgresStore::builder(pool).table(&table).build().unwrap();
        store.create_schema().await.unwrap();
        assert_eq!(store.insert(&key(1), &entry(revision(1), 50)).await.unwrap(), InsertOutcome::Inserted);

        let other = postgres_pool(&PostgresServer::shared().url());
        let mut transaction = other.begin().await.unwrap();
        let theirs = entry(revision(2), 60);
        sqlx::query(sqlx::AssertSqlSafe(format!("UPDATE {table} SET record = $1")))
            .bind(theirs.bytes().to_vec())
            .execute(&mut *transaction)
            .await
            .unwrap();
        let replacing = tokio::spawn({
            let store = store.clone();
            async move { store.replace(&key(1), revision(1), &entry(revision(3), 70)).await }
        });
        // It waits for the row.
        let waits =
            format!("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%{table}%'");
        while PostgresServer::shared().sql(&waits) == "0" {
            assert!(!replacing.is_finished(), "nothing held it up");
        }
        transaction.commit().await.unwrap();
        let ReplaceOutcome::Changed(found) = replacing.await.unwrap().unwrap() else {
            panic!("{level}: it was changed")
        };
        assert_eq!(found.bytes(), theirs.bytes(), "{level}");
    }
}
