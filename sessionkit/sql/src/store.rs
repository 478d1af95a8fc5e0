//! The store.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use sessionkit_core::{
    Clock as _, Entry, EntryKey, EntryKind, Generation, InsertOutcome, Notices, RemoveOutcome, ReplaceOutcome,
    Revision, ScanCursor, ScanPage, SessionId, Store, StoreError, StoreStats, SystemClock, Timestamp,
};
use sqlx::{Database, Pool};
use tokio::time::{Instant, sleep};

use crate::audit::SqlAuditLogBuilder;
use crate::executor::{Cells, Executor, Sql, Value};
use crate::failure::{Failure, FailureKind};
use crate::names::{SqlSetupError, TableName};
use crate::pooled::Pooled;
use crate::row::{Row, number};
use crate::schema::Table;
use crate::statements::Statements;

/// Sessions in a table of a database. Use it by the names `SqliteStore`, `PostgresStore` and `MySqlStore`.
///
/// Clones share the pool. Each call is one statement and commits by itself; a call that finds a newer entry than it
/// expected makes a second one, which reads it.
pub struct SqlStore<E> {
    executor: E,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    table: Table,
    statements: Statements,
    notices: Notices,
    /// The name under which processes tell one another of ended sessions.
    #[cfg(feature = "postgres")]
    channel: String,
    #[cfg(feature = "postgres")]
    listener: crate::listener::Listener,
}

impl<E: Executor> SqlStore<E> {
    pub(crate) fn with_defaults(executor: E) -> Self {
        SqlStoreBuilder::on(executor).build().expect("the default names are valid")
    }

    /// Creates the table if it is not there, and adds what an earlier release did not have.
    ///
    /// Any number of processes may call it at once and at every start, beside servers of this release and of the one
    /// before. A table that is complete is not touched: the database user needs no right to create tables then.
    ///
    /// # Errors
    /// Fails when the database refuses, and when a table of that name is there that is not SessionKit's.
    pub async fn create_schema(&self) -> Result<(), SqlSetupError> {
        let created = async {
            self.shared.table.bring_about(&self.executor).await?;
            self.check_settings().await
        };
        created.await.map_err(|failure| SqlSetupError::new(failure.to_string()))
    }

    /// Warns in the log about settings of the pool's connections with which sessions are less safe.
    async fn check_settings(&self) -> Result<(), Failure> {
        for setting in E::SETTINGS {
            let found = self.executor.fetch(&Sql::once(setting.shown_by), &[], |cells| cells.bytes(0)).await?;
            let found = found.into_iter().flatten().next().unwrap_or_default();
            let found = String::from_utf8_lossy(&found);
            if !setting.right.contains(&&*found.to_ascii_lowercase()) {
                let (setting, advice) = (setting.shown_by, setting.advice);
                tracing::warn!(target: "sessionkit", event = "database_settings", setting, %found, "{advice}");
            }
        }
        Ok(())
    }

    /// Returns the statements that create the table, for migrations that are written by hand. A `;` and the end of a line
    /// stand behind each.
    pub fn schema(&self) -> String {
        self.shared.table.create::<E>()
    }

    /// Returns the [`schema`](Self::schema) of the default table, for the program `sessionkit`.
    #[doc(hidden)]
    pub fn default_schema() -> String {
        let name = TableName::new(None, DEFAULT_TABLE.to_owned()).expect("the default name is valid");
        Table::of_sessions::<E>(name).create::<E>()
    }

    /// Asks the database whether it is there, for health checks.
    ///
    /// # Errors
    /// Fails when it does not answer, and when the pool has no connection.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.read(&self.shared.statements.ping, &[], |_| Ok(())).await.map(drop)
    }

    /// Reads, again and again if that can help: reading twice does no harm.
    async fn read<T: Send>(
        &self,
        sql: &Sql,
        values: &[Value<'_>],
        read: fn(&dyn Cells) -> Result<T, Failure>,
    ) -> Result<Vec<T>, StoreError> {
        let mut patience = Patience::new();
        // After a restart of the database none of the connections is alive, and each shows it but once.
        let mut dead = self.executor.connections() + 1;
        loop {
            let failure = match self.executor.fetch(sql, values, read).await {
                Ok(rows) => return Ok(rows),
                Err(failure) => failure,
            };
            match failure.kind() {
                FailureKind::Lost if dead > 0 => dead -= 1,
                FailureKind::Busy | FailureKind::Conflict if patience.wait().await => {}
                _ => return Err(failure.of_read()),
            }
        }
    }

    /// Writes, and waits for other writers for a while. What came to nothing is tried again, and nothing else.
    async fn write(&self, sql: &Sql, values: &[Value<'_>]) -> Result<u64, Failure> {
        let mut patience = Patience::new();
        loop {
            match self.executor.execute(sql, values).await {
                Err(failure) if failure.kind() == FailureKind::Busy && patience.wait().await => {}
                done => return done,
            }
        }
    }

    /// Writes, and tries again after a conflict with another transaction.
    async fn write_in_any_case(&self, sql: &Sql, values: &[Value<'_>]) -> Result<u64, Failure> {
        let mut patience = Patience::new();
        loop {
            match self.write(sql, values).await {
                Err(failure) if failure.kind() == FailureKind::Conflict && patience.wait().await => {}
                done => return done,
            }
        }
    }

    fn now(&self) -> Timestamp {
        SystemClock.now()
    }
}

impl<DB: Database> SqlStore<Pooled<DB>>
where
    Pooled<DB>: Executor,
{
    /// Makes a store on the pool of an application, with the table `sessionkit_sessions`.
    ///
    /// Turn `test_before_acquire` off in the options of the pool: with it, each call waits for one more round trip.
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use sessionkit_sql::SqliteStore;
    ///
    /// # let pool = sqlx::pool::PoolOptions::new().max_connections(1).connect("sqlite::memory:").await?;
    /// let store = SqliteStore::new(pool);
    /// store.create_schema().await?;
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "sqlite"))]
    /// # fn main() {}
    /// ```
    pub fn new(pool: Pool<DB>) -> Self {
        Self::with_defaults(Pooled::new(pool))
    }

    /// Begins a store with settings of its own. In MySQL a schema is what it calls a database.
    ///
    /// ```no_run
    /// # #[cfg(feature = "postgres")]
    /// # fn example(pool: sqlx::PgPool) -> Result<(), sessionkit_sql::SqlSetupError> {
    /// use sessionkit_sql::PostgresStore;
    ///
    /// let store = PostgresStore::builder(pool).schema("app").table("sessions").build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder(pool: Pool<DB>) -> SqlStoreBuilder<Pooled<DB>> {
        SqlStoreBuilder::on(Pooled::new(pool))
    }
}

impl<E: Executor> Store for SqlStore<E> {
    async fn load(&self, key: &EntryKey) -> Result<Option<Entry>, StoreError> {
        let values = [Value::Bytes(key.as_bytes())];
        let found = self.read(&self.shared.statements.load, &values, |cells| cells.bytes(0)).await?;
        Ok(found.into_iter().next().map(entry))
    }

    async fn insert(&self, key: &EntryKey, entry: &Entry) -> Result<InsertOutcome, StoreError> {
        let row = Row::new(key, entry, self.now());
        let [scope, user_id, created, last_seen, device_label, reclaim_at, record] = row.values();
        let (id, kind) = (Value::Bytes(key.as_bytes()), Value::Text(Some(row.kind)));
        let values = [id, kind, scope, user_id, created, last_seen, device_label, reclaim_at, record];
        match self.write_in_any_case(&self.shared.statements.insert, &values).await {
            Ok(0) => Ok(InsertOutcome::Taken),
            Ok(_) => Ok(InsertOutcome::Inserted),
            Err(failure) if failure.kind() == FailureKind::Taken => Ok(InsertOutcome::Taken),
            Err(failure) => Err(failure.of_write()),
        }
    }

    async fn replace(&self, key: &EntryKey, held: Revision, entry: &Entry) -> Result<ReplaceOutcome, StoreError> {
        let row = Row::new(key, entry, self.now());
        let [scope, user_id, created, last_seen, device_label, reclaim_at, record] = row.values();
        let (id, revision) = (Value::Bytes(key.as_bytes()), Value::Bytes(held.as_bytes()));
        let values = [scope, user_id, created, last_seen, device_label, reclaim_at, record, id, revision];
        let statements = &self.shared.statements;
        let is_damaged = held == Revision::default();
        let replace = if is_damaged { &statements.replace_damaged } else { &statements.replace };
        let mut patience = Patience::new();
        loop {
            match self.write(replace, &values).await {
                Ok(0) => {}
                Ok(_) => return Ok(ReplaceOutcome::Replaced),
                // Another transaction changed the row: the same as a row that was changed before.
                Err(failure) if failure.kind() == FailureKind::Conflict => {}
                Err(failure) => return Err(failure.of_write()),
            }
            // In a statement of its own: the one before may see an older state than it met.
            let Some(found) = self.load(key).await? else { return Ok(ReplaceOutcome::Absent) };
            // What is held came between the two statements: it is no reason to refuse.
            if !found.has_revision(held) || !patience.wait().await {
                return Ok(ReplaceOutcome::Changed(found));
            }
        }
    }

    async fn remove(&self, key: &EntryKey, held: Generation) -> Result<RemoveOutcome, StoreError> {
        let generation = held.to_bytes();
        let values = [Value::Bytes(key.as_bytes()), Value::Bytes(&generation)];
        let mut patience = Patience::new();
        loop {
            match self.write_in_any_case(&self.shared.statements.remove, &values).await {
                Ok(0) => {}
                Ok(_) => return Ok(RemoveOutcome::Removed),
                Err(failure) => return Err(failure.of_write()),
            }
            let Some(found) = self.load(key).await? else { return Ok(RemoveOutcome::Absent) };
            if !found.may_be_removed(held) || !patience.wait().await {
                return Ok(RemoveOutcome::Changed(found));
            }
        }
    }

    async fn scan(&self, kind: EntryKind, after: Option<&ScanCursor>, limit: usize) -> Result<ScanPage, StoreError> {
        let limit = limit.clamp(1, LARGEST_PAGE);
        let (first, end) = ([kind.byte()], [kind.byte() + 1]);
        let after = after.map_or(&first[..], ScanCursor::as_bytes);
        let values = [Value::Bytes(after), Value::Bytes(&end), Value::Number(Some(number(limit as u64)))];
        let rows = self.read(&self.shared.statements.scan, &values, keyed).await?;
        let last = rows.last().filter(|_| rows.len() >= limit);
        let next = last.map(|(key, _)| ScanCursor::from_bytes(key.clone()));
        let entries = rows.into_iter().filter_map(|(key, record)| Some((EntryKey::from_bytes(&key)?, entry(record))));
        Ok(ScanPage { entries: entries.collect(), next })
    }

    async fn load_many(&self, keys: &[EntryKey]) -> Result<Vec<Option<Entry>>, StoreError> {
        let mut found = HashMap::with_capacity(keys.len());
        for keys in keys.chunks(MOST_KEYS) {
            let mut list: Vec<&[u8]> = keys.iter().map(EntryKey::as_bytes).collect();
            // Few different statements, so that they stay prepared: the last key may stand there several times.
            list.resize(list.len().next_power_of_two(), list[list.len() - 1]);
            let sql = self.shared.statements.load_many::<E>(list.len());
            found.extend(self.read(&sql, &[Value::List(&list)], keyed).await?);
        }
        Ok(keys.iter().map(|key| found.get(key.as_bytes()).cloned().map(entry)).collect())
    }

    async fn sweep(&self, limit: usize) -> Result<usize, StoreError> {
        let values =
            [Value::Number(Some(number(self.now().unix_seconds()))), Value::Number(Some(number(limit as u64)))];
        let swept = self.write_in_any_case(&self.shared.statements.sweep, &values).await.map_err(Failure::of_write)?;
        Ok(usize::try_from(swept).unwrap_or(usize::MAX))
    }

    async fn stats(&self) -> Result<StoreStats, StoreError> {
        let statements = &self.shared.statements;
        let count = |cells: &dyn Cells| Ok([cells.number(0)?, cells.number(1)?, cells.number(2)?]);
        let counted = self.read(&statements.count, &[], count).await?;
        let size = self.read(&statements.size, &[], |cells| cells.number(0)).await?;
        let known = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok());
        let [sessions, lists, oldest] = counted.first().copied().unwrap_or_default();
        let mut stats = StoreStats::default();
        stats.sessions = known(sessions);
        stats.lists = known(lists);
        stats.oldest = known(oldest).map(Timestamp::from_unix_seconds);
        stats.bytes = known(size.first().copied().flatten());
        Ok(stats)
    }

    fn notices(&self) -> Option<&Notices> {
        let shared = &*self.shared;
        #[cfg(feature = "postgres")]
        self.executor.listen(&shared.listener, &shared.channel, &shared.notices);
        Some(&shared.notices)
    }

    fn announce(&self, id: SessionId) {
        self.shared.notices.tell(id);
        #[cfg(feature = "postgres")]
        self.executor.announce(&self.shared.channel, id);
    }
}

const DEFAULT_TABLE: &str = "sessionkit_sessions";

/// The largest page of a scan, in entries.
const LARGEST_PAGE: usize = 10_000;

/// The largest number of keys in one statement: a power of two.
const MOST_KEYS: usize = 256;

/// Makes an entry of a record. One that is NULL is damaged, as one that is empty: the engine knows what that means.
fn entry(record: Option<Vec<u8>>) -> Entry {
    Entry::from_bytes(record.unwrap_or_default())
}

fn keyed(cells: &dyn Cells) -> Result<(Vec<u8>, Option<Vec<u8>>), Failure> {
    Ok((cells.bytes(0)?.unwrap_or_default(), cells.bytes(1)?))
}

/// The time for which a call tries again what another writer keeps from happening.
const PATIENCE: Duration = Duration::from_secs(1);

/// The pauses before a call tries again, which grow.
struct Patience {
    until: Instant,
    pause: Duration,
}

impl Patience {
    fn new() -> Self {
        Self { until: Instant::now() + PATIENCE, pause: Duration::from_millis(2) }
    }

    /// Waits; returns false if there is no time left.
    async fn wait(&mut self) -> bool {
        if Instant::now() + self.pause > self.until {
            return false;
        }
        sleep(self.pause).await;
        self.pause = (self.pause * 2).min(Duration::from_millis(100));
        true
    }
}

impl<E: Clone> Clone for SqlStore<E> {
    fn clone(&self) -> Self {
        Self { executor: self.executor.clone(), shared: self.shared.clone() }
    }
}

impl<E: fmt::Debug> fmt::Debug for SqlStore<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = format_args!("{}", self.shared.table.name());
        f.debug_struct("SqlStore").field("table", &table).field("pool", &self.executor).finish()
    }
}

/// Settings of a [`SqlStore`].
#[must_use = "it does nothing until `build` is called"]
#[derive(Clone, Debug)]
pub struct SqlStoreBuilder<E> {
    executor: E,
    schema: Option<String>,
    table: String,
}

impl<E: Executor> SqlStoreBuilder<E> {
    pub(crate) fn on(executor: E) -> Self {
        Self { executor, schema: None, table: DEFAULT_TABLE.to_owned() }
    }

    /// Begins the audit log of the same database, for the package `sessionkit`.
    #[doc(hidden)]
    pub fn into_audit_log(self) -> SqlAuditLogBuilder<E> {
        SqlAuditLogBuilder::on(self.executor)
    }

    #[cfg(feature = "postgres")]
    pub(crate) fn executor_mut(&mut self) -> &mut E {
        &mut self.executor
    }

    /// Sets the name of the table, which is `sessionkit_sessions` by default.
    pub fn table(mut self, table: impl Into<String>) -> Self {
        self.table = table.into();
        self
    }

    /// Sets the schema in which the table is; that of the connection by default. It must exist.
    pub fn schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = Some(schema.into());
        self
    }

    /// Builds the store. Nothing is sent to the database.
    ///
    /// # Errors
    /// Fails when a name is not made of letters, digits and underscores of ASCII, begins with a digit, or is longer than
    /// 48 characters.
    pub fn build(self) -> Result<SqlStore<E>, SqlSetupError> {
        let name = TableName::new(self.schema, self.table)?;
        let statements = Statements::new::<E>(&name);
        let shared = Shared {
            statements,
            notices: Notices::new(),
            // Tables of one name in two schemas share it, which costs a look at a session that nobody watches.
            #[cfg(feature = "postgres")]
            channel: format!("{}_ended", name.table()),
            #[cfg(feature = "postgres")]
            listener: crate::listener::Listener::default(),
            table: Table::of_sessions::<E>(name),
        };
        Ok(SqlStore { executor: self.executor, shared: Arc::new(shared) })
    }
}
