//! Tests of the stores on PostgreSQL and MariaDB beside the suite of all stores: how a table lies on
//! its pages, names, notices, and proxies.

mod audit;
mod hot;
mod isolation;
mod names;
mod notices;
mod pgbouncer;
mod round_trips;
mod schema;

use std::time::Duration;

use sessionkit::store::{Entry, EntryKey, Revision, SessionId};
use sqlx::PgPool;

/// Longer than a busy machine needs.
const PATIENCE: Duration = Duration::from_secs(30);

/// Returns a key of its own for a number.
fn key(number: u16) -> EntryKey {
    let mut id = [7; 16];
    id[..2].copy_from_slice(&number.to_be_bytes());
    EntryKey::session(SessionId::from_bytes(id))
}

/// Returns the bytes of an entry that has a revision and a generation, and is no session.
fn entry(revision: Revision, length: usize) -> Entry {
    let mut bytes = vec![b'x'; length.max(40)];
    bytes[0] = 1;
    bytes[Revision::RANGE].copy_from_slice(revision.as_bytes());
    Entry::new(bytes, Duration::from_secs(3600))
}

fn revision(number: u64) -> Revision {
    Revision::from_bytes(number.to_be_bytes())
}

/// Runs a statement that returns nothing.
async fn execute(pool: &PgPool, statement: String) {
    sqlx::query(sqlx::AssertSqlSafe(statement)).execute(pool).await.expect("the server does it");
}
