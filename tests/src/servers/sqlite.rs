//! SQLite databases, each in a file of its own.

use std::path::PathBuf;
use std::sync::Arc;

use sessionkit::sql::SqliteStore;
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use tempfile::TempDir;

use super::temporary_directory;

/// A database in a file, which goes when this and all of its pools are dropped.
#[derive(Clone, Debug)]
pub struct SqliteFile {
    directory: Arc<TempDir>,
}

impl SqliteFile {
    /// Makes a directory for a database. The file comes with the first pool.
    #[must_use]
    pub fn new() -> Self {
        Self { directory: Arc::new(temporary_directory("sqlite-")) }
    }

    /// Returns the path of the database.
    pub fn path(&self) -> PathBuf {
        self.directory.path().join("sessions.db")
    }

    /// Returns the URL of the database.
    pub fn url(&self) -> String {
        format!("sqlite:{}", self.path().display())
    }

    /// Returns the options with which a store opens the database by itself.
    pub fn options(&self) -> SqliteConnectOptions {
        SqliteConnectOptions::new()
            .filename(self.path())
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
    }

    /// Opens a pool, which keeps the file alive.
    pub async fn pool(&self) -> SqlitePool {
        self.pool_with(self.options()).await
    }

    /// Opens a pool with other options.
    pub async fn pool_with(&self, options: SqliteConnectOptions) -> SqlitePool {
        let kept = self.directory.clone();
        let pool = SqlitePoolOptions::new().after_connect(move |_, _| {
            let _ = &kept;
            Box::pin(async { Ok(()) })
        });
        pool.connect_with(options).await.expect("the file can be opened")
    }

    /// Opens a store on a pool of its own, with its table.
    pub async fn store(&self) -> SqliteStore {
        let store = SqliteStore::new(self.pool().await);
        store.create_schema().await.expect("the file can be written");
        store
    }

    /// Returns all bytes of the database, those of its log included.
    pub fn bytes(&self) -> Vec<u8> {
        let files = std::fs::read_dir(self.directory.path()).expect("the directory is there");
        files.flatten().flat_map(|file| std::fs::read(file.path()).expect("the file can be read")).collect()
    }
}

impl Default for SqliteFile {
    fn default() -> Self {
        Self::new()
    }
}
