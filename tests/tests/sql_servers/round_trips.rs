//! The round trips of calls, counted on the way to the server: what a call costs on a slow network.

use sessionkit::Store;
use sessionkit::sql::{MySqlStore, PostgresStore};
use sessionkit::store::{Generation, InsertOutcome, RemoveOutcome, ReplaceOutcome};
use sessionkit_tests::servers::mariadb::MariaDbServer;
use sessionkit_tests::servers::postgres::PostgresServer;
use sessionkit_tests::servers::proxy::FaultProxy;
use sessionkit_tests::servers::unique_name;
use sqlx::mysql::MySqlPoolOptions;
use sqlx::postgres::PgPoolOptions;

use super::*;

/// More than once, so that a statement that is prepared anew would show.
const TIMES: u16 = 5;

/// The keys of one test, apart from those of others in the same table.
fn keys(first: u16) -> impl Iterator<Item = EntryKey> {
    (first..first + TIMES).map(key)
}

/// Makes every call of a store several times, and returns the round trips of each, in this order: load, insert, replace,
/// remove, load of many, refused replace.
async fn round_trips(store: &impl Store, proxy: &FaultProxy, first: u16) -> [Vec<usize>; 6] {
    let mut trips = [const { Vec::new() }; 6];
    let generation = Generation::from_number(u32::from_be_bytes(*b"xxxx"));
    for key in keys(first) {
        let mut call = 0;
        let mut before = proxy.round_trips();
        let mut count = || {
            let now = proxy.round_trips();
            trips[call].push(now - std::mem::replace(&mut before, now));
            call += 1;
        };
        assert_eq!(store.load(&key).await.unwrap(), None);
        count();
        assert_eq!(store.insert(&key, &entry(revision(1), 50)).await.unwrap(), InsertOutcome::Inserted);
        count();
        let replaced = store.replace(&key, revision(1), &entry(revision(2), 50)).await.unwrap();
        assert_eq!(replaced, ReplaceOutcome::Replaced);
        count();
        assert_eq!(store.remove(&key, generation).await.unwrap(), RemoveOutcome::Removed);
        count();
        assert_eq!(store.load_many(&[key; 3]).await.unwrap(), [const { None }; 3]);
        count();
        let refused = store.replace(&key, revision(1), &entry(revision(2), 50)).await.unwrap();
        assert_eq!(refused, ReplaceOutcome::Absent);
        count();
    }
    trips
}

/// Checks that each call is one round trip once its statement is prepared, and that one which is refused is two.
async fn assert_one_round_trip(store: &impl Store, proxy: &FaultProxy) {
    round_trips(store, proxy, 0).await;
    let [calls @ .., refused] = round_trips(store, proxy, 100).await;
    assert_eq!(calls, [const { [1; TIMES as usize] }; 5]);
    assert_eq!(refused, [2; TIMES as usize]);
}

#[tokio::test]
async fn a_call_is_one_round_trip_to_postgres() {
    let proxy = FaultProxy::start(PostgresServer::shared().address()).await;
    let url = PostgresServer::shared().url_through(&proxy);
    let store = sessionkit::connect(&format!("{url}?table={}", unique_name())).await.unwrap();
    assert_one_round_trip(&store, &proxy).await;
}

#[tokio::test]
async fn a_call_is_one_round_trip_to_postgres_without_prepared_statements() {
    let proxy = FaultProxy::start(PostgresServer::shared().address()).await;
    let url = PostgresServer::shared().url_through(&proxy);
    let url = format!("{url}?prepared_statements=false&table={}", unique_name());
    assert_one_round_trip(&sessionkit::connect(&url).await.unwrap(), &proxy).await;
}

#[tokio::test]
async fn a_call_is_one_round_trip_to_mariadb() {
    let proxy = FaultProxy::start(MariaDbServer::shared().address()).await;
    let url = MariaDbServer::shared().url_through(&proxy);
    let store = sessionkit::connect(&format!("{url}?table={}", unique_name())).await.unwrap();
    assert_one_round_trip(&store, &proxy).await;
}

/// sqlx tests a connection when the application's pool takes it back, which no call waits for.
#[tokio::test]
async fn a_call_waits_for_one_round_trip_on_a_pool_that_does_not_test_before() {
    let postgres = FaultProxy::start(PostgresServer::shared().address()).await;
    let pool = PgPoolOptions::new().max_connections(1).test_before_acquire(false);
    let pool = pool.connect(&PostgresServer::shared().url_through(&postgres)).await.unwrap();
    let store = PostgresStore::builder(pool).table(unique_name()).build().unwrap();
    store.create_schema().await.unwrap();
    assert_at_most_one_more(&store, &postgres).await;

    let mariadb = FaultProxy::start(MariaDbServer::shared().address()).await;
    let pool = MySqlPoolOptions::new().max_connections(1).test_before_acquire(false);
    let pool = pool.connect(&MariaDbServer::shared().url_through(&mariadb)).await.unwrap();
    let store = MySqlStore::builder(pool).table(unique_name()).build().unwrap();
    store.create_schema().await.unwrap();
    assert_at_most_one_more(&store, &mariadb).await;
}

async fn assert_at_most_one_more(store: &impl Store, proxy: &FaultProxy) {
    round_trips(store, proxy, 0).await;
    let trips: usize = round_trips(store, proxy, 100).await.into_iter().flatten().sum();
    // Five calls of one statement, and one of two.
    let statements = 7 * usize::from(TIMES);
    assert!(trips <= 2 * statements + 1, "{trips} round trips for {statements} statements");
}
