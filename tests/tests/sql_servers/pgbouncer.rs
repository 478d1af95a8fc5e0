//! PostgreSQL behind PgBouncer in transaction mode.

use sessionkit::Store as _;
use sessionkit::sql::PostgresStore;
use sessionkit::store::{Generation, InsertOutcome, RemoveOutcome, ReplaceOutcome};
use sessionkit_tests::harness::sql::postgres_pool;
use sessionkit_tests::servers::pgbouncer::PgBouncer;
use sessionkit_tests::servers::postgres::PostgresServer;
use sessionkit_tests::servers::unique_name;
use tokio::task::JoinSet;

use super::*;

/// Many clients whose statements meet one another's connections. The suite behind PgBouncer is in `store_postgres.rs`.
#[tokio::test(flavor = "multi_thread")]
async fn many_clients_share_few_connections() {
    let (server, table) = (PostgresServer::shared(), unique_name());
    let bouncer = PgBouncer::start(server, 3);
    let mut clients = JoinSet::new();
    for client in 0..16 {
        let store = PostgresStore::builder(postgres_pool(&bouncer.url())).prepared_statements(false);
        let store = store.table(&table).build().unwrap();
        clients.spawn(async move {
            store.create_schema().await.unwrap();
            for round in 0..10 {
                let key = key(client * 100 + round);
                assert_eq!(store.insert(&key, &entry(revision(1), 50)).await.unwrap(), InsertOutcome::Inserted);
                for number in 1..5 {
                    let next = entry(revision(number + 1), 50 + number as usize);
                    let outcome = store.replace(&key, revision(number), &next).await.unwrap();
                    assert_eq!(outcome, ReplaceOutcome::Replaced, "{client} {round} {number}");
                    assert_eq!(store.load(&key).await.unwrap().unwrap().bytes(), next.bytes());
                }
                let generation = store.load(&key).await.unwrap().unwrap().generation().unwrap();
                assert_eq!(store.remove(&key, generation).await.unwrap(), RemoveOutcome::Removed);
                assert_eq!(store.remove(&key, Generation::default()).await.unwrap(), RemoveOutcome::Absent);
            }
        });
    }
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
}
