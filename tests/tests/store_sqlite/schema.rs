//! The table: how it comes into being, what stands in it, and the names that it may have.

use std::collections::BTreeMap;

use sessionkit::sql::{SqlAuditLog, SqliteStore};
use sessionkit::store::{InsertOutcome, ReplaceOutcome, Store as _};
use sessionkit::testing::TestSession;
use sessionkit::{SessionConfig, SessionData, SessionManager};
use sessionkit_tests::harness::Log;
use sessionkit_tests::servers::sqlite::SqliteFile;
use sqlx::Row as _;

use crate::support::{key, number, numbered, revision};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_processes_create_the_tables_at_once_and_again() {
    let file = SqliteFile::new();
    let mut creating = Vec::new();
    for _ in 0..8 {
        let pool = file.pool().await;
        creating.push(tokio::spawn(async move {
            let (store, log) = (SqliteStore::new(pool.clone()), SqlAuditLog::new(pool));
            store.create_schema().await.unwrap();
            log.create_schema().await.unwrap();
            store.create_schema().await.unwrap();
        }));
    }
    for created in creating {
        created.await.unwrap();
    }
    file.store().await.insert(&key(1), &numbered(1)).await.unwrap();
}

/// A table of an earlier release, which had fewer columns, gets the others while that release is at work.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_of_an_earlier_release_is_upgraded_under_traffic() {
    let file = SqliteFile::new();
    let pool = file.pool().await;
    let newest = SqliteStore::new(pool.clone());
    let schema = newest.schema();
    let earlier: String = schema.lines().filter(|line| !line.contains("device_label")).collect::<Vec<_>>().join("\n");
    sqlx::raw_sql(sqlx::AssertSqlSafe(earlier)).execute(&pool).await.unwrap();
    let insert = "INSERT INTO sessionkit_sessions (id, kind, reclaim_at, record) VALUES (?, 'session', 4000000000, ?)";
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let earlier_release = tokio::spawn({
        let (pool, stop) = (pool.clone(), stop.clone());
        async move {
            let mut written = 0;
            while written < 50 || !stop.load(std::sync::atomic::Ordering::SeqCst) {
                let entry = numbered(written);
                let query = sqlx::query(insert).bind(key(written).as_bytes().to_vec()).bind(entry.bytes().to_vec());
                assert_eq!(query.execute(&pool).await.unwrap().rows_affected(), 1);
                written += 1;
            }
            written
        }
    });
    let second = SqliteStore::new(file.pool().await);
    let (first, second) = tokio::join!(newest.create_schema(), second.create_schema());
    first.unwrap();
    second.unwrap();
    stop.store(true, std::sync::atomic::Ordering::SeqCst);
    let written = earlier_release.await.unwrap();
    for written in 0..written {
        assert_eq!(number(&newest.load(&key(written)).await.unwrap().unwrap()), Some(written));
    }
    assert_eq!(newest.replace(&key(0), revision(0), &numbered(9_000)).await.unwrap(), ReplaceOutcome::Replaced);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_table_of_the_same_name_is_left_alone() {
    let file = SqliteFile::new();
    let pool = file.pool().await;
    sqlx::query("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)").execute(&pool).await.unwrap();
    let store = SqliteStore::builder(pool.clone()).table("users").build().unwrap();
    let error = store.create_schema().await.unwrap_err().to_string();
    assert!(error.contains("`users`") && error.contains("`table(..)`"), "{error}");
    let columns: Vec<String> =
        sqlx::query_scalar("SELECT name FROM pragma_table_xinfo('users')").fetch_all(&pool).await.unwrap();
    assert_eq!(columns, ["id", "name"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_of_several_names_are_apart_whatever_they_are_called() {
    let file = SqliteFile::new();
    let pool = file.pool().await;
    for (number, (schema, table)) in [(None, "select"), (Some("main"), "Shop_1"), (None, "_")].into_iter().enumerate() {
        let mut builder = SqliteStore::builder(pool.clone()).table(table);
        if let Some(schema) = schema {
            builder = builder.schema(schema);
        }
        let store = builder.build().unwrap();
        store.create_schema().await.unwrap();
        assert_eq!(store.insert(&key(1), &numbered(number as u32)).await.unwrap(), InsertOutcome::Inserted);
        assert_eq!(store.stats().await.unwrap().sessions, Some(1));
    }
    for hostile in ["a\"; DROP TABLE \"_", "sessions'--", "a b", "", "tàble"] {
        let error = SqliteStore::builder(pool.clone()).table(hostile).build().unwrap_err().to_string();
        assert!(error.contains("cannot be the name of a table"), "{error}");
        assert!(SqliteStore::builder(pool.clone()).schema(hostile).build().is_err());
        assert!(SqlAuditLog::builder(pool.clone()).table(hostile).build().is_err());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_opens_its_own_pool_survives_a_power_cut() {
    let file = SqliteFile::new();
    let log = Log::collect();
    let store = SqliteStore::connect(&file.url()).await.unwrap();
    store.insert(&key(1), &numbered(1)).await.unwrap();
    let debug = format!("{store:?}");
    assert!(debug.contains("sessionkit_sessions") && !debug.contains("sessions.db"), "{debug}");
    drop(store);
    assert!(!log.text().contains("database_settings"), "its settings are right: {}", log.text());
    let again = SqliteStore::connect(&file.url()).await.unwrap();
    assert_eq!(number(&again.load(&key(1)).await.unwrap().unwrap()), Some(1), "sessions survive a restart");
    // The pool of an application may have other settings, which is said once.
    let careless = file.options().synchronous(sqlx::sqlite::SqliteSynchronous::Normal);
    SqliteStore::new(file.pool_with(careless).await).create_schema().await.unwrap();
    assert!(log.text().contains("database_settings") && log.text().contains("synchronous"), "{}", log.text());
    let other = SqliteFile::new();
    let rollback = other.options().journal_mode(sqlx::sqlite::SqliteJournalMode::Delete);
    SqliteStore::new(other.pool_with(rollback).await).create_schema().await.unwrap();
    assert!(log.text().contains("WAL"), "{}", log.text());
    for wrong in ["sqlite:/nowhere/at/all.db", "postgres://ada:hunter2@localhost/x", "sqlite:x?mode=hunter2"] {
        let error = format!("{:?}", SqliteStore::connect(wrong).await.unwrap_err());
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_but_the_owner_reads_a_file_that_the_store_creates() {
    use std::os::unix::fs::PermissionsExt as _;
    let file = SqliteFile::new();
    let store = SqliteStore::connect(&file.url()).await.unwrap();
    store.insert(&key(1), &numbered(1)).await.unwrap();
    let directory = std::fs::read_dir(file.path().parent().expect("it is in a directory")).unwrap();
    let modes: BTreeMap<_, _> = directory
        .flatten()
        .map(|file| (file.file_name(), file.metadata().unwrap().permissions().mode() & 0o777))
        .collect();
    assert!(modes.len() > 1 && modes.values().all(|mode| *mode == 0o600), "{modes:?}");
}

#[derive(SessionData)]
struct Cart {
    items: Vec<String>,
    #[session(sensitive)]
    code: String,
}

/// Row 11 of the list of systems: a database backend, whose table people can look into.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_11_sessions_in_a_database_that_people_can_look_into() {
    let file = SqliteFile::new();
    let (store, pool) = (file.store().await, file.pool().await);
    let manager = SessionManager::new(
        store.clone(),
        SessionConfig::builder().track_devices(true).plaintext_sensitive(true).build().unwrap(),
    );
    let ada = TestSession::new(&manager).login("ada").device_label("Firefox on Linux");
    let ada = ada.with(|cart: &mut Cart| cart.items.push("tea".into())).await;
    let hostile = "Robert'); DROP TABLE sessionkit_sessions;--\0";
    let bobby = TestSession::new(&manager).login(hostile).device_label("\u{1f36a}".repeat(600)).await;
    let guest = TestSession::new(&manager).with(|cart: &mut Cart| cart.code = "hidden".into()).await;

    let rows = sqlx::query(
        "SELECT kind, scope, user_id, device_label, created, last_seen, reclaim_at FROM sessionkit_sessions",
    );
    let rows = rows.fetch_all(&pool).await.unwrap();
    let mut seen = BTreeMap::new();
    for row in &rows {
        let [kind, scope] = [0, 1].map(|at| row.get::<String, _>(at));
        let (user, label) = (row.get::<Option<String>, _>(2), row.get::<Option<String>, _>(3));
        assert_eq!(scope, "Main");
        if kind == "session" {
            let [created, last_seen, reclaim_at] = [4, 5, 6].map(|at| row.get::<i64, _>(at));
            assert!(created > 1_700_000_000 && last_seen >= created && reclaim_at > last_seen);
        }
        seen.insert((kind, user), label);
    }
    let of = |kind: &str, user: Option<&str>| seen.get(&(kind.to_owned(), user.map(str::to_owned))).cloned().flatten();
    assert_eq!(of("session", Some("ada")).as_deref(), Some("Firefox on Linux"));
    let shown = hostile.replace('\0', "\u{fffd}");
    assert_eq!(of("session", Some(&shown)).map(|label| label.chars().count() <= 255), Some(true), "{seen:?}");
    assert!(
        seen.contains_key(&("session".to_owned(), None))
            && seen.contains_key(&("list".to_owned(), Some("ada".to_owned())))
    );
    assert_eq!(rows.len(), 5, "three sessions, and two lists");

    // It is the same after a restart, and a dump opens nothing.
    let again =
        SessionManager::new(file.store().await, SessionConfig::builder().plaintext_sensitive(true).build().unwrap());
    assert_eq!(ada.user_id().await.as_deref(), Some("ada"));
    let mut request = TestSession::<sessionkit::MainScope>::new(&again).await;
    request.follow([ada.cookie()]);
    assert_eq!(request.user_id().await.as_deref(), Some("ada"));
    assert_eq!(request.view::<Cart>().await.items, ["tea"]);
    let dump = file.bytes();
    for session in [&ada, &bobby, &guest] {
        let token = session.cookie().split_once('=').expect("a cookie").1.to_owned();
        // The second half is the secret.
        let secret = &token[22..];
        assert!(!contains(&dump, token.as_bytes()) && !contains(&dump, secret.as_bytes()));
        let bytes = base64::engine::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, &token);
        assert!(!contains(&dump, &bytes.expect("it is base64")[16..]), "nor as bytes");
        let parsed = sessionkit_core::Token::parse(token.as_bytes()).expect("a token");
        assert!(contains(&dump, parsed.id().as_bytes()), "the id is no secret");
    }
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}
