//! Rows that are damaged: each is the trouble of its own session.

use sessionkit::sql::SqliteStore;
use sessionkit::store::{Generation, InsertOutcome, RemoveOutcome, Store as _};
use sessionkit::testing::TestSession;
use sessionkit::{SessionConfig, SessionManager};
use sessionkit_tests::harness::Log;
use sessionkit_tests::servers::sqlite::SqliteFile;
use sqlx::SqlitePool;

use crate::support::{key, log_out, numbered, user_of};

/// The ways in which an operator can damage the column `record`.
const DAMAGES: [&str; 7] = [
    "x''",
    "x'00'",
    "CAST('damaged' AS BLOB)",
    "zeroblob(5000)",
    "substr(record, 1, 40)",
    "substr(record, 1, length(record) - 1)",
    "CAST(replace(hex(record), '0', 'F') AS BLOB)",
];

async fn damage(pool: &SqlitePool, how: &str, user: &str) {
    let sql = format!("UPDATE sessionkit_sessions SET record = {how} WHERE user_id = ? AND kind = 'session'");
    let done = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(user).execute(pool).await.unwrap();
    assert_eq!(done.rows_affected(), 1, "{how}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_session_is_none_and_others_do_not_notice() {
    for how in DAMAGES {
        let file = SqliteFile::new();
        let (store, pool) = (file.store().await, file.pool().await);
        let manager = SessionManager::new(store.clone(), SessionConfig::default());
        let reports = || Log::collect().text().matches("error=the session store holds something unexpected").count();
        let before = reports();
        let [ada, bob] = ["ada", "bob"].map(|user| TestSession::new(&manager).login(user));
        let (ada, bob) = (ada.await, bob.await);
        damage(&pool, how, "ada").await;
        for _ in 0..3 {
            assert_eq!(user_of(&manager, &ada).await, None, "{how}: it opens nothing");
            assert_eq!(user_of(&manager, &bob).await.as_deref(), Some("bob"), "{how}");
        }
        assert_eq!(reports(), before + 3, "{how}: each request reports it");
        // A new login works, and a logout removes what is damaged.
        let again = TestSession::new(&manager).login("ada").await;
        assert_eq!(again.user_id().await.as_deref(), Some("ada"), "{how}");
        assert_eq!(rows(&pool).await, 3, "{how}: looking removes nothing");
        log_out(&manager, &ada).await;
        assert_eq!(rows(&pool).await, 2, "{how}: the damage is gone");
        assert_eq!(again.user_id().await.as_deref(), Some("ada"), "{how}");
    }
}

async fn rows(pool: &SqlitePool) -> i64 {
    sqlx::query_scalar("SELECT COUNT(*) FROM sessionkit_sessions WHERE kind = 'session'").fetch_one(pool).await.unwrap()
}

/// A table without its constraints, as an administrator may have made it by hand: a record that is missing is a damaged one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_record_is_a_damaged_one() {
    let file = SqliteFile::new();
    let pool = file.pool().await;
    let store = SqliteStore::new(pool.clone());
    let loose = store.schema().replace("BLOB NOT NULL,", "BLOB,").replace(" STRICT", "");
    sqlx::raw_sql(sqlx::AssertSqlSafe(loose)).execute(&pool).await.unwrap();
    for (number, record) in ["NULL", "'text'", "17", "2.5"].into_iter().enumerate() {
        let key = key(number as u32);
        store.insert(&key, &numbered(1)).await.unwrap();
        let sql = format!("UPDATE sessionkit_sessions SET record = {record} WHERE id = ?");
        sqlx::query(sqlx::AssertSqlSafe(sql)).bind(key.as_bytes()).execute(&pool).await.unwrap();
        let found = store.load(&key).await.unwrap().expect("there is an entry");
        assert_eq!(found.summary(), None, "{record}");
        assert_eq!(store.load_many(&[key]).await.unwrap(), [Some(found)]);
        assert_eq!(store.insert(&key, &numbered(1)).await.unwrap(), InsertOutcome::Taken, "{record}");
        assert_eq!(store.remove(&key, Generation::from_number(9)).await.unwrap(), RemoveOutcome::Removed, "{record}");
    }
}
