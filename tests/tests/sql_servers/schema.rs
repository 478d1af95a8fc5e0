//! Tables that come into being, and that grow, while they are in use.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sessionkit::Store as _;
use sessionkit::sql::{MySqlStore, PostgresStore};
use sessionkit::store::ReplaceOutcome;
use sessionkit_tests::harness::sql::{mysql_pool, postgres_pool};
use sessionkit_tests::servers::mariadb::MariaDbServer;
use sessionkit_tests::servers::postgres::PostgresServer;
use sessionkit_tests::servers::unique_name;
use sqlx::postgres::PgPoolOptions;

use super::*;

/// Creates the table in several processes at once, by the stores that `make` makes.
macro_rules! create_at_once {
    ($make:expr) => {{
        let creating: Vec<_> = (0..8)
            .map(|_| {
                tokio::spawn({
                    let store = $make;
                    async move { store.create_schema().await }
                })
            })
            .collect();
        for created in creating {
            created.await.unwrap().unwrap();
        }
    }};
}

/// Upgrades a table of an earlier release, which lacks a column, while that release writes.
macro_rules! upgrade_under_traffic {
    ($pool:expr, $make:expr, $table:expr, $places:literal) => {{
        let (pool, store) = ($pool, $make);
        let earlier: Vec<_> =
            store.schema().lines().filter(|line| !line.contains("device_label")).map(str::to_owned).collect();
        sqlx::raw_sql(sqlx::AssertSqlSafe(earlier.join("\n"))).execute(&pool).await.unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let insert = format!("INSERT INTO {} (id, kind, reclaim_at, record) VALUES {}", $table, $places);
        let earlier_release = tokio::spawn({
            let (pool, stop) = (pool.clone(), stop.clone());
            async move {
                let mut written = 0;
                while written < 50 || !stop.load(Ordering::SeqCst) {
                    let (key, entry) = (key(written), entry(revision(u64::from(written)), 50));
                    let insert = sqlx::query(sqlx::AssertSqlSafe(insert.clone()));
                    let insert = insert.bind(key.as_bytes().to_vec()).bind(entry.bytes().to_vec());
                    assert_eq!(insert.execute(&pool).await.unwrap().rows_affected(), 1);
                    written += 1;
                }
                written
            }
        });
        create_at_once!($make);
        stop.store(true, Ordering::SeqCst);
        let written = earlier_release.await.unwrap();
        for number in 0..written {
            let found = store.load(&key(number)).await.unwrap().expect("it is there");
            assert!(found.has_revision(revision(u64::from(number))));
            let replaced = store.replace(&key(number), revision(u64::from(number)), &entry(revision(1_000), 60)).await;
            assert_eq!(replaced.unwrap(), ReplaceOutcome::Replaced);
        }
    }};
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_creates_and_upgrades_tables_under_traffic() {
    let server = PostgresServer::shared();
    let pool = postgres_pool(&server.url());
    let [new, old] = [(); 2].map(|()| unique_name());
    let store = |table: &str| PostgresStore::builder(pool.clone()).table(table).build().unwrap();
    create_at_once!(store(&new));
    upgrade_under_traffic!(pool.clone(), store(&old), old, "($1, 'session', 4000000000, $2)");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mariadb_creates_and_upgrades_tables_under_traffic() {
    let server = MariaDbServer::shared();
    let pool = mysql_pool(&server.url());
    let [new, old] = [(); 2].map(|()| unique_name());
    let store = |table: &str| MySqlStore::builder(pool.clone()).table(table).build().unwrap();
    create_at_once!(store(&new));
    upgrade_under_traffic!(pool.clone(), store(&old), old, "(?, 'session', 4000000000, ?)");
}

/// A user who may only use the table calls `create_schema` at every start like everybody else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_without_rights_to_create_tables_can_use_a_complete_one() {
    let server = PostgresServer::shared();
    let owner = postgres_pool(&server.url());
    let [table, user] = [(); 2].map(|()| unique_name());
    execute(&owner, format!("CREATE ROLE {user}")).await;
    let set_role = format!("SET ROLE {user}");
    let pool = PgPoolOptions::new().after_connect(move |connection, _| {
        let set_role = sqlx::AssertSqlSafe(set_role.clone());
        Box::pin(async move { sqlx::Executor::execute(connection, set_role).await.map(drop) })
    });
    let pool = pool.connect(&server.url()).await.unwrap();
    let store = PostgresStore::builder(pool).schema("public").table(&table).build().unwrap();
    execute(&owner, "REVOKE CREATE ON SCHEMA public FROM PUBLIC".to_owned()).await;
    let refused = store.create_schema().await.unwrap_err().to_string();
    assert!(refused.contains("permission denied") && refused.contains("SELECT, INSERT, UPDATE"), "{refused}");

    let owned = PostgresStore::builder(owner.clone()).schema("public").table(&table).build().unwrap();
    owned.create_schema().await.unwrap();
    execute(&owner, format!("GRANT SELECT, INSERT, UPDATE, DELETE ON public.{table} TO {user}")).await;
    store.create_schema().await.unwrap();
    store.insert(&key(1), &entry(revision(1), 50)).await.unwrap();
    assert_eq!(store.replace(&key(1), revision(1), &entry(revision(2), 50)).await.unwrap(), ReplaceOutcome::Replaced);
    store.remove(&key(1), sessionkit::store::Generation::from_number(0x7878_7878)).await.unwrap();
    assert_eq!((store.load(&key(1)).await.unwrap(), store.sweep(10).await.unwrap()), (None, 0));
}
