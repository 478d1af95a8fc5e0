//! The audit trail.

use sessionkit::AuditLog;
use sessionkit::sql::{Pooled, SqlAuditLog, SqlFailure};
use sessionkit_tests::harness::audit::{append_unanswered, logins};
use sessionkit_tests::harness::sql::{mysql_pool, postgres_pool};
use sessionkit_tests::servers::mariadb::MariaDbServer;
use sessionkit_tests::servers::postgres::PostgresServer;
use sessionkit_tests::servers::unique_name;
use sqlx::{MySql, Postgres};

/// Appends a batch whose answer is lost, and the same again with what came meanwhile.
async fn append_twice(log: &impl AuditLog<Error = SqlFailure>, count: &impl AsyncFn() -> i64, empty: impl AsyncFn()) {
    let hostile = |number| format!("{number}\0'; DROP TABLE users; -- \u{1f36a}{}", "\u{1f36a}".repeat(400));
    let entries = logins((0..100).map(hostile)).await;
    while !append_unanswered(log, &entries[..60], count).await {
        empty().await;
    }
    log.append(&entries).await.unwrap();
    assert_eq!(count().await, 100, "none twice");
}

/// The way in which statements are sent: prepared, or whole.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_18_a_trail_in_postgres_has_each_event_once_and_in_order() {
    let server = PostgresServer::shared();
    let pool = postgres_pool(&server.url());
    for prepared in [true, false] {
        let table = unique_name();
        let log: SqlAuditLog<Pooled<Postgres>> =
            SqlAuditLog::builder(pool.clone()).table(&table).prepared_statements(prepared).build().unwrap();
        log.create_schema().await.unwrap();
        log.create_schema().await.unwrap();
        let select = format!("SELECT COUNT(*) FROM {table}");
        let count = async || sqlx::query_scalar(sqlx::AssertSqlSafe(select.clone())).fetch_one(&pool).await.unwrap();
        append_twice(&log, &count, async || super::execute(&pool, format!("DELETE FROM {table}")).await).await;
        let rows = format!("SELECT user_id, device_label FROM {table} ORDER BY id");
        let rows: Vec<(String, String)> = sqlx::query_as(sqlx::AssertSqlSafe(rows)).fetch_all(&pool).await.unwrap();
        assert_rows(&rows);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_18_a_trail_in_mariadb_has_each_event_once_and_in_order() {
    let server = MariaDbServer::shared();
    let (pool, table) = (mysql_pool(&server.url()), unique_name());
    let log: SqlAuditLog<Pooled<MySql>> = SqlAuditLog::builder(pool.clone()).table(&table).build().unwrap();
    log.create_schema().await.unwrap();
    log.create_schema().await.unwrap();
    let select = format!("SELECT COUNT(*) FROM {table}");
    let count = async || sqlx::query_scalar(sqlx::AssertSqlSafe(select.clone())).fetch_one(&pool).await.unwrap();
    let empty = async || {
        sqlx::query(sqlx::AssertSqlSafe(format!("DELETE FROM {table}"))).execute(&pool).await.unwrap();
    };
    append_twice(&log, &count, empty).await;
    let rows = format!("SELECT user_id, device_label FROM {table} ORDER BY id");
    let rows: Vec<(String, String)> = sqlx::query_as(sqlx::AssertSqlSafe(rows)).fetch_all(&pool).await.unwrap();
    assert_rows(&rows);
}

#[track_caller]
fn assert_rows(rows: &[(String, String)]) {
    assert_eq!(rows.len(), 100);
    for (number, (user, device)) in rows.iter().enumerate() {
        assert!(user.starts_with(&format!("{number}\u{fffd}'; DROP TABLE users; -- \u{1f36a}")), "{number}: {user}");
        assert_eq!((user.chars().count(), device.as_str()), (255, "\u{1f36a} phone"));
    }
}
