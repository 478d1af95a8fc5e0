//! Sessions in a file: a store of one's own, with the embedded database redb. `cargo run --example redb-store`.

mod store;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use redb::Database;
use sessionkit::axum::{Session, SessionLayer};
use sessionkit::{Clock as _, SessionConfig, SessionData, SessionManager, SystemClock};
use tokio::net::TcpListener;

use store::{ENTRIES, RedbStore};

#[derive(SessionData)]
struct Visit {
    #[session(merge = add)]
    views: u64,
}

async fn index(mut visit: Session<Visit>) -> String {
    visit.views += 1;
    format!("seen {} times\n", visit.views)
}

/// Forgets what may be forgotten. Makes the table too, without which nothing can be read.
fn sweep(database: &Database) -> Result<(), redb::Error> {
    let now = SystemClock.now().unix_seconds();
    let transaction = database.begin_write()?;
    transaction.open_table(ENTRIES)?.retain(|_, (reclaim_at, _)| reclaim_at > now)?;
    Ok(transaction.commit()?)
}

fn sweep_every_hour(database: &Database) {
    loop {
        if let Err(error) = sweep(database) {
            eprintln!("nothing was reclaimed: {error}");
        }
        std::thread::sleep(Duration::from_secs(60 * 60));
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::var("SESSIONS").unwrap_or_else(|_| "sessions.redb".to_owned());
    let database = Arc::new(Database::create(path)?);
    sweep(&database)?;
    let swept = database.clone();
    std::thread::spawn(move || sweep_every_hour(&swept));

    let manager = SessionManager::new(RedbStore(database), SessionConfig::dev());
    let app = Router::new().route("/", get(index)).layer(SessionLayer::new(manager));
    let address = std::env::var("ADDR").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("sessions in a file: http://{}", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use sessionkit::SessionId;
    use sessionkit::store::{Entry, EntryKey, InsertOutcome, Store as _};

    use super::*;

    async fn store() -> RedbStore {
        let file = tempfile::tempfile().expect("there is room for a file");
        let database = Database::builder().create_file(file).expect("an empty file becomes a database");
        sweep(&database).expect("a new database can be written");
        RedbStore(Arc::new(database))
    }

    sessionkit::store_suite!(store);

    #[tokio::test]
    async fn only_what_may_be_forgotten_is_swept() {
        let store = store().await;
        let [kept, forgotten] = [1, 2].map(|byte| EntryKey::session(SessionId::from_bytes([byte; 16])));
        for (key, seconds) in [(&kept, 3_600), (&forgotten, 0)] {
            let entry = Entry::new([1; 40], Duration::from_secs(seconds));
            assert_eq!(store.insert(key, &entry).await.unwrap(), InsertOutcome::Inserted);
        }
        sweep(&store.0).unwrap();
        assert!(store.load(&kept).await.unwrap().is_some() && store.load(&forgotten).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn sessions_are_there_after_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let open = || RedbStore(Arc::new(Database::create(directory.path().join("sessions.redb")).unwrap()));
        let key = EntryKey::session_list("Main", "ada");
        let entry = Entry::new([1; 40], Duration::from_secs(3_600));
        assert_eq!(open().insert(&key, &entry).await.unwrap(), InsertOutcome::Inserted);
        assert_eq!(open().load(&key).await.unwrap().unwrap().bytes(), entry.bytes());
    }
}
