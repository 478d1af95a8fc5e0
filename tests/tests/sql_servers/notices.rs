//! Notices of ended sessions between processes that share a PostgreSQL.

use std::time::Instant;

use sessionkit::manual::SessionHandle;
use sessionkit::sql::PostgresStore;
use sessionkit::{SessionConfig, SessionManager};
use sessionkit_tests::harness::NEVER;
use sessionkit_tests::harness::sql::postgres_pool;
use sessionkit_tests::servers::pgbouncer::PgBouncer;
use sessionkit_tests::servers::postgres::PostgresServer;
use sessionkit_tests::servers::proxy::FaultProxy;
use sessionkit_tests::servers::unique_name;
use tokio::task;
use tokio::time::timeout;

use super::*;

fn manager(store: PostgresStore) -> SessionManager {
    let config = SessionConfig::builder().track_devices(true).watch_interval(NEVER);
    // The machine may be busy with other tests.
    let config = config.load_deadline(PATIENCE).commit_deadline(PATIENCE).build().unwrap();
    SessionManager::new(store, config)
}

async fn store(url: &str, table: &str) -> PostgresStore {
    let store = PostgresStore::builder(postgres_pool(url)).table(table).build().unwrap();
    store.create_schema().await.unwrap();
    store
}

async fn log_in(manager: &SessionManager) -> SessionHandle {
    let session = manager.open();
    session.auth().login("ada").await.unwrap();
    let handle = session.handle().await.unwrap();
    assert!(manager.close(&session, 200).await.rejection.is_none());
    handle
}

/// Waits until so many connections listen for notices of a table.
async fn listened_to(server: &PostgresServer, table: &str, count: usize) {
    let sql = format!("SELECT count(*) FROM pg_stat_activity WHERE query = 'LISTEN \"{table}_ended\"'");
    let began = Instant::now();
    while server.sql(&sql) != count.to_string() {
        assert!(began.elapsed() < PATIENCE, "{count} should listen");
        task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_learns_at_once_that_a_session_ended() {
    let (server, table) = (PostgresServer::shared(), unique_name());
    let here = manager(store(&server.url(), &table).await);
    let handle = log_in(&here).await;
    let watched = tokio::spawn(async move { handle.ended().await.unwrap() });
    listened_to(server, &table, 1).await;
    manager(store(&server.url(), &table).await).devices_of("ada").end_all().await.unwrap();
    timeout(PATIENCE, watched).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_listens_before_somebody_watches() {
    let (server, table) = (PostgresServer::shared(), unique_name());
    let here = manager(store(&server.url(), &table).await);
    let handle = log_in(&here).await;
    listened_to(server, &table, 0).await;
    // Two who watch share one connection.
    let (one, other) = (handle.clone(), handle);
    let one = tokio::spawn(async move { one.ended().await.unwrap() });
    let other = tokio::spawn(async move { other.ended().await.unwrap() });
    listened_to(server, &table, 1).await;
    here.devices_of("ada").end_all().await.unwrap();
    timeout(PATIENCE, one).await.unwrap().unwrap();
    timeout(PATIENCE, other).await.unwrap().unwrap();
    drop(here);
    // The connection goes with the store.
    listened_to(server, &table, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn notices_come_after_a_restart_of_the_server() {
    let (mut server, table) = (PostgresServer::start(), unique_name());
    let here = manager(store(&server.url(), &table).await);
    let handle = log_in(&here).await;
    let watched = tokio::spawn(async move { handle.ended().await.unwrap() });
    for stop in [PostgresServer::stop as fn(&mut PostgresServer), PostgresServer::kill] {
        listened_to(&server, &table, 1).await;
        stop(&mut server);
        server.start_again();
    }
    // Nobody asks for a session here: the listener comes back by itself.
    listened_to(&server, &table, 1).await;
    assert!(!watched.is_finished());
    manager(store(&server.url(), &table).await).devices_of("ada").end_all().await.unwrap();
    timeout(PATIENCE, watched).await.unwrap().unwrap();
}

/// A notice that was lost while the connection was down is made up for: all who watch look once.
#[tokio::test(flavor = "multi_thread")]
async fn notices_come_though_the_connection_for_them_was_silent() {
    let (server, table) = (PostgresServer::start(), unique_name());
    let proxy = FaultProxy::start(server.address()).await;
    let here = manager(store(&server.url_through(&proxy), &table).await);
    let handle = log_in(&here).await;
    let watched = tokio::spawn(async move { handle.ended().await.unwrap() });
    listened_to(&server, &table, 1).await;
    // The ones of the pool go on, so nothing but silence shows it.
    proxy.strand_last();
    manager(store(&server.url(), &table).await).devices_of("ada").end_all().await.unwrap();
    timeout(PATIENCE, watched).await.unwrap().unwrap();
}

/// A proxy that gives each transaction another connection cannot pass on notices. They come past it.
#[tokio::test(flavor = "multi_thread")]
async fn notices_come_past_pgbouncer() {
    let (server, table) = (PostgresServer::shared(), unique_name());
    let bouncer = PgBouncer::start(server, 2);
    let behind = async || {
        let store = PostgresStore::builder(postgres_pool(&bouncer.url())).prepared_statements(false);
        let store = store.listen_directly(server.url().parse().unwrap()).table(&table).build().unwrap();
        store.create_schema().await.unwrap();
        manager(store)
    };
    let here = behind().await;
    let handle = log_in(&here).await;
    let watched = tokio::spawn(async move { handle.ended().await.unwrap() });
    listened_to(server, &table, 1).await;
    behind().await.devices_of("ada").end_all().await.unwrap();
    timeout(PATIENCE, watched).await.unwrap().unwrap();
}
