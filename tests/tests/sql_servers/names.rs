//! Names of tables and schemas.

use sessionkit::Store as _;
use sessionkit::sql::{MySqlStore, PostgresStore};
use sessionkit::store::InsertOutcome;
use sessionkit_tests::harness::sql::{mysql_pool, postgres_pool};
use sessionkit_tests::servers::mariadb::MariaDbServer;
use sessionkit_tests::servers::postgres::PostgresServer;
use sessionkit_tests::servers::unique_name;

use super::*;

/// Stores with tables of the same name in two schemas do not meet, and the search path has no say.
#[tokio::test]
async fn a_schema_keeps_tables_apart_in_postgres() {
    let server = PostgresServer::shared();
    let pool = postgres_pool(&server.url());
    let (one, other, table) = (unique_name(), unique_name(), unique_name());
    for schema in [&one, &other] {
        execute(&pool, format!("CREATE SCHEMA {schema}")).await;
    }
    let stores =
        [&one, &other].map(|schema| PostgresStore::builder(pool.clone()).schema(schema).table(&table).build().unwrap());
    for store in &stores {
        store.create_schema().await.unwrap();
        store.create_schema().await.unwrap();
        assert_eq!(store.insert(&key(1), &entry(revision(1), 50)).await.unwrap(), InsertOutcome::Inserted);
    }
    assert_eq!(stores[0].stats().await.unwrap().sessions, Some(1));
    let tables = format!("SELECT table_schema FROM information_schema.tables WHERE table_name = '{table}' ORDER BY 1");
    let mut schemas = [one, other];
    schemas.sort();
    assert_eq!(server.sql(&tables).lines().collect::<Vec<_>>(), schemas);
}

#[tokio::test]
async fn a_schema_keeps_tables_apart_in_mariadb() {
    let server = MariaDbServer::shared();
    let pool = mysql_pool(&server.url());
    let (schema, table) = (unique_name(), unique_name());
    server.sql(&format!("CREATE DATABASE {schema}"));
    let stores = [
        MySqlStore::builder(pool.clone()).schema(&schema).table(&table).build().unwrap(),
        MySqlStore::builder(pool).table(&table).build().unwrap(),
    ];
    for store in &stores {
        store.create_schema().await.unwrap();
        store.create_schema().await.unwrap();
        assert_eq!(store.insert(&key(1), &entry(revision(1), 50)).await.unwrap(), InsertOutcome::Inserted);
    }
    assert_eq!(stores[0].stats().await.unwrap().sessions, Some(1));
}

/// Names that mean something in SQL are names.
#[tokio::test]
async fn words_of_sql_are_names() {
    let (postgres, mariadb) = (PostgresServer::start(), MariaDbServer::start());
    for name in ["select", "user", "Order", "table", "_", "pg_class"] {
        let store =
            PostgresStore::builder(postgres_pool(&postgres.url())).schema("public").table(name).build().unwrap();
        store.create_schema().await.unwrap();
        assert_eq!(store.insert(&key(1), &entry(revision(1), 50)).await.unwrap(), InsertOutcome::Inserted, "{name}");
        assert!(store.load(&key(1)).await.unwrap().is_some(), "{name}");
        assert_eq!(store.stats().await.unwrap().sessions, Some(1), "{name}");

        let store = MySqlStore::builder(mysql_pool(&mariadb.url())).table(name).build().unwrap();
        store.create_schema().await.unwrap();
        assert_eq!(store.insert(&key(1), &entry(revision(1), 50)).await.unwrap(), InsertOutcome::Inserted, "{name}");
        assert!(store.load(&key(1)).await.unwrap().is_some(), "{name}");
        assert_eq!(store.stats().await.unwrap().sessions, Some(1), "{name}");
    }
}

/// Whatever could end a name is refused before anything is sent.
#[tokio::test]
async fn hostile_names_are_refused() {
    let (postgres, mariadb) = (postgres_pool("postgres://127.0.0.1:1/x"), mysql_pool("mysql://127.0.0.1:1/x"));
    for name in ["", "a b", "a;DROP TABLE b", "a\"b", "a`b", "a'b", "a.b", "a--b", "a\0b", "é", "1a", &"x".repeat(64)]
    {
        let errors = [
            PostgresStore::builder(postgres.clone()).table(name).build().unwrap_err(),
            PostgresStore::builder(postgres.clone()).schema(name).build().unwrap_err(),
            MySqlStore::builder(mariadb.clone()).table(name).build().unwrap_err(),
            MySqlStore::builder(mariadb.clone()).schema(name).build().unwrap_err(),
        ];
        for error in errors {
            assert!(error.to_string().contains("cannot be the name of a"), "{name:?}: {error}");
        }
    }
}

/// Many processes that start at once create one table.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_created_once_by_many() {
    let (table, url) = (unique_name(), PostgresServer::shared().url());
    let (other, mariadb) = (unique_name(), MariaDbServer::shared().url());
    let starting = (0..12).map(|_| {
        let postgres = PostgresStore::builder(postgres_pool(&url)).table(&table).build().unwrap();
        let mariadb = MySqlStore::builder(mysql_pool(&mariadb)).table(&other).build().unwrap();
        tokio::spawn(async move { (postgres.create_schema().await, mariadb.create_schema().await) })
    });
    for starting in starting.collect::<Vec<_>>() {
        let (postgres, mariadb) = starting.await.unwrap();
        postgres.unwrap();
        mariadb.unwrap();
    }
}
