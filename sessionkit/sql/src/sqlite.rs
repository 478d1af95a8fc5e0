//! SQLite.

use std::path::Path;
use std::str::FromStr as _;
use std::time::Duration;

use sqlx::Sqlite;
use sqlx::error::{DatabaseError, ErrorKind};
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};

use crate::dialect::{Dialect, Setting};
use crate::executor::Value;
use crate::failure::FailureKind;
use crate::names::{SqlSetupError, TableName};
use crate::pooled::Pooled;
use crate::store::{SqlStore, SqlStoreBuilder};

/// Sessions in SQLite: for one machine, in one file, and for sessions that outlive a restart.
///
/// Several processes may share the file. SQLite lets one write at a time; the writers of one store wait for one another in
/// their order. The database should be in the mode `WAL`, in which readers wait for nobody, and `synchronous` should be
/// `FULL`, without which a power cut can undo a logout. [`connect`](Self::connect) sets both;
/// [`create_schema`](Self::create_schema) warns in the log if the pool of an application has others.
///
/// ```
/// use sessionkit_sql::SqliteStore;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = std::env::temp_dir();
/// # let file = format!("{}/sessionkit-doc-{}.db", directory.display(), std::process::id());
/// # let url = format!("sqlite:{file}");
/// let store = SqliteStore::connect(&url).await?;          // "sqlite:sessions.db"
/// # for end in ["", "-wal", "-shm"] { let _ = std::fs::remove_file(format!("{file}{end}")); }
/// # Ok(())
/// # }
/// ```
pub type SqliteStore = SqlStore<Pooled<Sqlite>>;

/// The time that a statement waits for a writer of another process, before the store tries again.
const BUSY_TIMEOUT: Duration = Duration::from_secs(1);

impl SqlStore<Pooled<Sqlite>> {
    /// Opens a pool of its own, with what sessions want of SQLite, and creates the file and the table if they are not
    /// there. Nobody but the owner may read a file that it creates.
    ///
    /// # Errors
    /// Fails when the URL is not one of SQLite, and when the file cannot be opened or written.
    pub async fn connect(url: &str) -> Result<Self, SqlSetupError> {
        let store = Self::open(url, true).await?.build()?;
        store.create_schema().await?;
        Ok(store)
    }

    /// Opens the pool of [`connect`](Self::connect) for a store with settings, for the package
    /// `sessionkit`; `creates` says whether the file is made if it is missing.
    #[doc(hidden)]
    pub async fn open(url: &str, creates: bool) -> Result<SqlStoreBuilder<Pooled<Sqlite>>, SqlSetupError> {
        // The error may quote the URL.
        let options = SqliteConnectOptions::from_str(url).map_err(|_| {
            SqlSetupError::of_url(
                "the URL is not one of SQLite: write `sqlite:` and the path of a file, as `sqlite:sessions.db`",
            )
        })?;
        let options = options
            .create_if_missing(creates)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT);
        let is_in_memory = url.contains(":memory:") || url.contains("mode=memory");
        if options.get_filename().as_os_str().is_empty() {
            return Err(SqlSetupError::new("the URL names no file: write `sqlite:sessions.db`, or another path"));
        }
        if creates && !is_in_memory {
            create_for_owner(options.get_filename());
        }
        // A database in memory is one connection's.
        let pool = match is_in_memory {
            true => SqlitePoolOptions::new().max_connections(1).idle_timeout(None).max_lifetime(None),
            false => SqlitePoolOptions::new(),
        };
        // A file does not go away as a server does.
        let pool = pool.test_before_acquire(false).connect_with(options).await;
        let pool = pool.map_err(|error| {
            let advice = match &error {
                sqlx::Error::Database(error) => advice(&**error),
                _ => "",
            };
            SqlSetupError::new(format!("{}{advice}", crate::failure::Failure::of_pool(&error)))
        })?;
        Ok(SqlStoreBuilder::on(Pooled::<Sqlite>::alone(pool)))
    }
}

/// Creates an empty file that its owner alone may read, unless there is one. SQLite gives its log the same mode. An error is
/// left to SQLite, which tells it better.
fn create_for_owner(path: &Path) {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let _ = options.open(path);
}

impl Dialect for Pooled<Sqlite> {
    const QUOTE: char = '"';
    const RECORD: &'static str = "BLOB";
    const TEXT: &'static str = "TEXT";
    const NUMBER: &'static str = "INTEGER";
    const COMPUTED: &'static str = "VIRTUAL";
    const ON_TAKEN: &'static str = " ON CONFLICT (id) DO NOTHING";
    // No column takes a value of another type.
    const CHANGING_TABLE: &'static str = " STRICT";
    const GROWING_TABLE: &'static str = " STRICT";
    const INDEX_IN_TABLE: bool = false;
    const INDEX_HAS_SCHEMA: bool = true;
    const ONE_WRITER: bool = true;
    const SETTINGS: &'static [Setting] = &[
        Setting {
            shown_by: "PRAGMA journal_mode",
            right: &["wal", "memory"],
            advice: "readers and writers of sessions wait for one another: open the database in the journal mode WAL",
        },
        Setting {
            shown_by: "PRAGMA synchronous",
            // FULL and EXTRA.
            right: &["2", "3"],
            advice: "a power cut can undo the last logouts and rotations: open the database with `synchronous` FULL",
        },
    ];
    const BEFORE_CHANGE: &'static str = "";

    fn bytes(_: usize) -> String {
        "BLOB".to_owned()
    }

    fn places(sql: String) -> String {
        sql
    }

    fn among(column: &str, count: usize) -> String {
        format!("{column} IN ({})", vec!["?"; count].join(", "))
    }

    // One writer at a time: nobody touches a row between the two halves.
    fn sweep(table: &str) -> String {
        format!(
            "DELETE FROM {table} WHERE id IN (SELECT id FROM {table} WHERE reclaim_at <= ? ORDER BY reclaim_at LIMIT ?)"
        )
    }

    fn columns(name: &TableName) -> String {
        let schema = name.schema().map(|schema| format!(", '{schema}'")).unwrap_or_default();
        format!("SELECT name FROM pragma_table_xinfo('{}'{schema})", name.table())
    }

    fn size(name: &TableName) -> String {
        // What its index takes up is not known without an extension.
        format!("SUM(200 + length(id) + length(record)) FROM {}", name.quoted(Self::QUOTE))
    }
}

executor_on_pools! {
    Sqlite, SqliteRow, SqliteArguments, kind_of: kind_of, returned: returned,
    list: |arguments, list| list.iter().try_for_each(|bytes| arguments.add(*bytes)), text: as_text
}

/// Returns a connection to its pool, at work or not. It finishes what it does, which takes no longer than the wait for
/// another writer, and a database in memory must not be lost with it.
fn returned(connection: PoolConnection<Sqlite>) {
    drop(connection);
}

fn as_text(sql: &str, _: &[Value<'_>]) -> String {
    sql.to_owned()
}

/// The primary codes of SQLite.
const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const READ_ONLY: i32 = 8;
const IO_ERROR: i32 = 10;
const CANNOT_OPEN: i32 = 14;
const NO_DATABASE: i32 = 26;

fn code_of(error: &dyn DatabaseError) -> i32 {
    error.code().and_then(|code| code.parse::<i32>().ok()).unwrap_or_default() & 0xff
}

/// Returns what to do about a file that cannot be opened.
fn advice(error: &dyn DatabaseError) -> &'static str {
    match code_of(error) {
        CANNOT_OPEN => {
            ": check that the path is right, that its directory is there, and that this user may write to it"
        }
        READ_ONLY => ": let the user who runs this program write to the file and to its directory",
        NO_DATABASE => ": name another file",
        _ => "",
    }
}

fn kind_of(error: &dyn DatabaseError) -> FailureKind {
    match code_of(error) {
        _ if error.kind() == ErrorKind::UniqueViolation => FailureKind::Taken,
        BUSY | LOCKED => FailureKind::Busy,
        // After a failed sync the frames of a commit may be in the log, and count after a restart.
        IO_ERROR => FailureKind::Lost,
        1 if error.message().starts_with("no such ") => FailureKind::NoTable,
        _ => FailureKind::Refused,
    }
}
