//! The audit trail.

use std::borrow::Cow;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use sessionkit_core::{AuditEntry, AuditLog};
use sqlx::{Database, Pool};

use crate::executor::{Executor, Sql, Value};
use crate::failure::{Failure, FailureKind};
use crate::names::{SqlSetupError, TableName};
use crate::pooled::Pooled;
use crate::row::{number, shown};
use crate::schema::Table;

/// An audit trail in a table that only grows, for [`AuditSink`](sessionkit_core::AuditSink).
///
/// The sink collects events beside the requests and appends them in batches; each batch is one `INSERT`. A batch whose
/// answer was lost comes again and has the keys that it had, so that no event stands there twice. The application never
/// changes or removes a row: a database user that may only insert into the table is enough.
///
/// The table can be in the same database as the sessions. Its column `happened_at` is in seconds since the Unix epoch, and
/// `session` is the id of the session as it prints. Texts are cut at 255 characters. `ORDER BY id` is the order of the
/// events, as far as the clocks of several servers agree.
pub struct SqlAuditLog<E> {
    executor: E,
    table: Arc<Table>,
    /// The beginning of the statement, before the rows.
    insert: Arc<str>,
    /// The number of keys that were made.
    made: Arc<AtomicU32>,
    /// The keys of the batch that was last begun, if it is not known to be in the table.
    begun: Arc<Mutex<Vec<Keyed>>>,
}

/// An entry and its key.
type Keyed = (AuditEntry, [u8; 16]);

/// The columns, in the order of their values.
const COLUMNS: [&str; 12] = [
    "id",
    "happened_at",
    "event",
    "reason",
    "scope",
    "session",
    "user_id",
    "actor",
    "device_label",
    "handler",
    "route",
    "lost",
];

impl<E: Executor> SqlAuditLog<E> {
    pub(crate) fn with_defaults(executor: E) -> Self {
        SqlAuditLogBuilder::on(executor).build().expect("the default names are valid")
    }

    /// Creates the table if it is not there, and adds what an earlier release did not have.
    ///
    /// # Errors
    /// Fails when the database refuses, and when a table of that name is there that is not SessionKit's.
    pub async fn create_schema(&self) -> Result<(), SqlSetupError> {
        let created = self.table.bring_about(&self.executor).await;
        created.map_err(|failure| SqlSetupError::new(failure.to_string()))
    }

    /// Returns whether the table is there, with all its columns, for the program `sessionkit`.
    #[doc(hidden)]
    pub async fn is_complete(&self) -> Result<bool, SqlSetupError> {
        let missing = self.table.missing(&self.executor).await;
        let missing = missing.map_err(|failure| SqlSetupError::new(failure.to_string()))?;
        Ok(missing.is_some_and(|missing| missing.is_empty()))
    }

    /// Returns the statements that create the table, for migrations that are written by hand.
    pub fn schema(&self) -> String {
        self.table.create::<E>()
    }

    /// Gives each entry a key: the one that it had, if the batch comes again.
    fn keyed(&self, entries: &[AuditEntry]) -> Result<Vec<Keyed>, Failure> {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        let comes_again =
            begun.len() <= entries.len() && begun.iter().zip(entries).all(|((begun, _), entry)| begun == entry);
        if !comes_again {
            begun.clear();
        }
        for entry in &entries[begun.len()..] {
            begun.push((entry.clone(), self.key(entry)?));
        }
        Ok(begun.clone())
    }

    /// Returns a new key. Keys are in the order of time, and of the events of one second: so new rows stand together.
    fn key(&self, entry: &AuditEntry) -> Result<[u8; 16], Failure> {
        let mut key = [0; 16];
        key[..5].copy_from_slice(&entry.at.unix_seconds().to_be_bytes()[3..]);
        key[5..9].copy_from_slice(&self.made.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        getrandom::fill(&mut key[9..]).map_err(|error| {
            Failure::new(FailureKind::NotSent, format!("the operating system has no random numbers: {error}"))
        })?;
        Ok(key)
    }

    async fn insert(&self, entries: &[Keyed]) -> Result<(), Failure> {
        let rows: Vec<AuditRow<'_>> = entries.iter().map(AuditRow::new).collect();
        let values: Vec<Value<'_>> = rows.iter().flat_map(AuditRow::values).collect();
        let row = format!("({})", ["?"; COLUMNS.len()].join(", "));
        let rows = vec![row; entries.len()].join(", ");
        let sql = Sql::once(E::places(format!("{}{rows}{}", self.insert, E::ON_TAKEN)));
        self.executor.execute(&sql, &values).await.map(drop)
    }
}

impl<DB: Database> SqlAuditLog<Pooled<DB>>
where
    Pooled<DB>: Executor,
{
    /// Makes a log on the pool of an application, with the table `sessionkit_audit`.
    ///
    /// ```
    /// use sessionkit_core::{AuditSink, MemoryStore, SessionManager};
    /// use sessionkit_sql::SqlAuditLog;
    ///
    /// # #[cfg(feature = "sqlite")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let store = MemoryStore::new();
    /// # let pool = sqlx::pool::PoolOptions::<sqlx::Sqlite>::new().max_connections(1).connect("sqlite::memory:").await?;
    /// let log = SqlAuditLog::new(pool);
    /// log.create_schema().await?;
    /// let manager = SessionManager::builder(store).event_sink(AuditSink::new(log)).build();
    /// # drop(manager);
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "sqlite"))]
    /// # fn main() {}
    /// ```
    pub fn new(pool: Pool<DB>) -> Self {
        Self::with_defaults(Pooled::new(pool))
    }

    /// Begins a log with settings of its own.
    pub fn builder(pool: Pool<DB>) -> SqlAuditLogBuilder<Pooled<DB>> {
        SqlAuditLogBuilder::on(Pooled::new(pool))
    }
}

impl<E: Executor> AuditLog for SqlAuditLog<E> {
    type Error = Failure;

    async fn append(&self, entries: &[AuditEntry]) -> Result<(), Failure> {
        if entries.is_empty() {
            return Ok(());
        }
        let keyed = self.keyed(entries)?;
        match self.insert(&keyed).await {
            Ok(()) => {}
            // Only one of its keys can be there: those of an earlier attempt, which had fewer entries.
            Err(failure) if failure.kind() == FailureKind::Taken => {
                for entry in &keyed {
                    match self.insert(std::slice::from_ref(entry)).await {
                        Ok(()) => {}
                        Err(failure) if failure.kind() == FailureKind::Taken => {}
                        Err(failure) => return Err(failure),
                    }
                }
            }
            Err(failure) => return Err(failure),
        }
        self.begun.lock().unwrap_or_else(PoisonError::into_inner).clear();
        Ok(())
    }
}

/// An entry as a row.
struct AuditRow<'a> {
    entry: &'a AuditEntry,
    key: &'a [u8],
    scope: Cow<'a, str>,
    session: Option<String>,
    user_id: Option<Cow<'a, str>>,
    actor: Option<Cow<'a, str>>,
    device_label: Option<Cow<'a, str>>,
    handler: Option<Cow<'a, str>>,
    route: Option<Cow<'a, str>>,
}

impl<'a> AuditRow<'a> {
    fn new((entry, key): &'a Keyed) -> Self {
        Self {
            entry,
            key,
            scope: shown(entry.scope),
            session: entry.session.map(|session| session.to_string()),
            user_id: entry.user_id.as_deref().map(shown),
            actor: entry.actor.as_deref().map(shown),
            device_label: entry.device_label.as_deref().map(shown),
            handler: entry.handler.map(shown),
            route: entry.route.as_deref().map(shown),
        }
    }

    /// Returns the values in the order of [`COLUMNS`].
    fn values(&self) -> [Value<'_>; COLUMNS.len()] {
        [
            Value::Bytes(self.key),
            Value::Number(Some(number(self.entry.at.unix_seconds()))),
            Value::Text(Some(self.entry.event)),
            Value::Text(self.entry.reason),
            Value::Text(Some(&self.scope)),
            Value::Text(self.session.as_deref()),
            Value::Text(self.user_id.as_deref()),
            Value::Text(self.actor.as_deref()),
            Value::Text(self.device_label.as_deref()),
            Value::Text(self.handler.as_deref()),
            Value::Text(self.route.as_deref()),
            Value::Number(Some(number(self.entry.lost))),
        ]
    }
}

impl<E: Clone> Clone for SqlAuditLog<E> {
    fn clone(&self) -> Self {
        Self {
            executor: self.executor.clone(),
            table: self.table.clone(),
            insert: self.insert.clone(),
            made: self.made.clone(),
            begun: self.begun.clone(),
        }
    }
}

impl<E: fmt::Debug> fmt::Debug for SqlAuditLog<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = format_args!("{}", self.table.name());
        f.debug_struct("SqlAuditLog").field("table", &table).field("pool", &self.executor).finish()
    }
}

/// Settings of a [`SqlAuditLog`].
#[must_use = "it does nothing until `build` is called"]
#[derive(Clone, Debug)]
pub struct SqlAuditLogBuilder<E> {
    executor: E,
    schema: Option<String>,
    table: String,
}

impl<E: Executor> SqlAuditLogBuilder<E> {
    pub(crate) fn on(executor: E) -> Self {
        Self { executor, schema: None, table: "sessionkit_audit".to_owned() }
    }

    #[cfg(feature = "postgres")]
    pub(crate) fn executor_mut(&mut self) -> &mut E {
        &mut self.executor
    }

    /// Sets the name of the table, which is `sessionkit_audit` by default.
    pub fn table(mut self, table: impl Into<String>) -> Self {
        self.table = table.into();
        self
    }

    /// Sets the schema in which the table is; that of the connection by default. It must exist.
    pub fn schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = Some(schema.into());
        self
    }

    /// Builds the log. Nothing is sent to the database.
    ///
    /// # Errors
    /// Fails when a name is not made of letters, digits and underscores of ASCII, begins with a digit, or is longer than
    /// 48 characters.
    pub fn build(self) -> Result<SqlAuditLog<E>, SqlSetupError> {
        let name = TableName::new(self.schema, self.table)?;
        let insert = format!("INSERT INTO {} ({}) VALUES ", name.quoted(E::QUOTE), COLUMNS.join(", "));
        Ok(SqlAuditLog {
            executor: self.executor,
            table: Arc::new(Table::of_audit::<E>(name)),
            insert: insert.into(),
            made: Arc::default(),
            begun: Arc::default(),
        })
    }
}
