//! The audit trail beside the sessions: the program notes there what it ends.

use sessionkit::sql::SqlAuditLog;
use sessionkit_tests::harness::sql::{mysql_pool, postgres_pool};
use sessionkit_tests::servers::mariadb::MariaDbServer;
use sessionkit_tests::servers::postgres::PostgresServer;
use sqlx::SqlitePool;

use crate::support::{Place, log_in, run};

/// What an operator reads of the trail.
fn query(table: &str) -> String {
    format!("SELECT event, reason, scope, session, user_id FROM {table}")
}

fn rows(shown: &str) -> Vec<String> {
    let mut rows: Vec<String> = shown.lines().map(|line| line.replace('\t', "|")).collect();
    rows.sort();
    rows
}

/// Logs three users in, ends the sessions of each in another way, and returns what the trail has to say of it.
async fn end_all_ways(place: &Place, url: &str) -> Vec<String> {
    let manager = place.manager();
    let ids = ["ada", "bob", "eve"].map(|user| (user, log_in(&manager, user)));
    let mut expected = Vec::new();
    for ((user, login), (arguments, reason)) in ids.into_iter().zip([
        (&["end"][..], "ended by an operator"),
        (&["end-user", "bob"], "ended from the list of devices"),
        (&["end-everyone", "--yes"], "everyone's sessions were ended"),
    ]) {
        let (_session, id) = login.await;
        let id = id.to_string();
        let arguments = if arguments == ["end"] { vec!["end", &id] } else { arguments.to_vec() };
        let output = run(&arguments, Some(url));
        assert_eq!(output.code, Some(0), "{arguments:?}: {}", output.error);
        expected.push(format!("revoked|{reason}|Main|{id}|{user}"));
    }
    // Programs that run within one second are not in the order of their keys.
    expected.sort();
    expected
}

#[tokio::test]
async fn what_the_program_ends_is_in_the_trail_of_sqlite() {
    let place = Place::sqlite().await;
    // Without a trail there is nothing to write to, and nothing is made.
    end_all_ways(&place, &place.url).await;
    let pool = SqlitePool::connect(&place.url).await.unwrap();
    SqlAuditLog::new(pool.clone()).create_schema().await.unwrap();
    let expected = end_all_ways(&place, &place.url).await;
    let columns = "SELECT event || '|' || reason || '|' || scope || '|' || session || '|' || user_id \
                   FROM sessionkit_audit";
    let mut found: Vec<String> = sqlx::query_scalar(columns).fetch_all(&pool).await.unwrap();
    found.sort();
    assert_eq!(found, expected);
    let missing = run(&["end-user", "ada"], Some(&format!("{}?audit_table=typo", place.url)));
    assert!(missing.code == Some(2) && missing.error.contains("`audit_table`"), "{}", missing.error);
}

#[tokio::test]
async fn what_the_program_ends_is_in_the_trail_of_postgres() {
    let place = Place::postgres().await;
    let (server, table) = (PostgresServer::shared(), format!("{}_trail", place.name()));
    let log = SqlAuditLog::builder(postgres_pool(&server.url())).table(&table).build().unwrap();
    log.create_schema().await.unwrap();
    let url = format!("{}&audit_table={table}", place.url);
    let expected = end_all_ways(&place, &url).await;
    assert_eq!(rows(&server.sql(&query(&table))), expected);
    // One that cannot be written to does not keep the program from ending sessions; it says so.
    server.sql(&format!("CREATE RULE refuse AS ON INSERT TO {table} DO INSTEAD SELECT 1 / 0"));
    let (session, id) = log_in(&place.manager(), "ada").await;
    let output = run(&["end", &id.to_string()], Some(&url));
    assert_eq!(output.code, Some(3), "{}", output.error);
    assert!(output.error.contains("ended 1 session") && output.error.contains("audit trail"), "{}", output.error);
    assert!(session.is_over().await);
}

#[tokio::test]
async fn what_the_program_ends_is_in_the_trail_of_mariadb() {
    let place = Place::mariadb().await;
    let (server, table) = (MariaDbServer::shared(), format!("{}_trail", place.name()));
    let log = SqlAuditLog::builder(mysql_pool(&server.url())).table(&table).build().unwrap();
    log.create_schema().await.unwrap();
    let expected = end_all_ways(&place, &format!("{}&audit_table={table}", place.url)).await;
    assert_eq!(rows(&server.sql(&query(&table))), expected);
}
