//! PostgreSQL.

use std::fmt::Write as _;
use std::sync::Arc;

use sessionkit_core::{Notices, SessionId};
use sqlx::error::DatabaseError;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgRow};
use sqlx::{ConnectOptions as _, Postgres};

use crate::audit::SqlAuditLogBuilder;
use crate::dialect::{Dialect, Setting};
use crate::executor::{Executor as _, Sql, Value};
use crate::failure::FailureKind;
use crate::kept::Kept;
use crate::listener::Listener;
use crate::names::{SqlSetupError, TableName};
use crate::pooled::{Pooled, open_pool, return_to_pool};
use crate::store::{SqlStore, SqlStoreBuilder};

/// Sessions in PostgreSQL, from version 13 on.
///
/// ```no_run
/// use sessionkit_sql::PostgresStore;
/// use sqlx::PgPool;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = PgPool::connect("postgres://app@localhost/app").await?;
/// let store = PostgresStore::new(pool);
/// store.create_schema().await?;
/// # Ok(())
/// # }
/// ```
pub type PostgresStore = SqlStore<Pooled<Postgres>>;

impl SqlStore<Pooled<Postgres>> {
    /// Opens a pool of its own, and creates the table if it is not there.
    ///
    /// For TLS, enable the feature `tls`, or one of those of sqlx in the application.
    ///
    /// # Errors
    /// Fails when the URL is not one of PostgreSQL, and when the server does not answer or refuses.
    pub async fn connect(url: &str) -> Result<Self, SqlSetupError> {
        let store = Self::open(url).await?.build()?;
        store.create_schema().await?;
        Ok(store)
    }

    /// Opens the pool of [`connect`](Self::connect) for a store with settings, for the package `sessionkit`.
    #[doc(hidden)]
    pub async fn open(url: &str) -> Result<SqlStoreBuilder<Pooled<Postgres>>, SqlSetupError> {
        // The error may quote the URL, a password included.
        let options = url.parse::<PgConnectOptions>().map_err(|_| {
            SqlSetupError::of_url(
                "the URL is not one of PostgreSQL: write `postgres://user:password@host/database`, and special characters \
                 of the password with `%`, such as `%2F` for `/`",
            )
        })?;
        // PgBouncer refuses this setting, and sessions have no floating-point columns.
        let options = options.extra_float_digits(None);
        Ok(SqlStoreBuilder::on(Pooled::<Postgres>::alone(open_pool(options).await?)))
    }
}

impl SqlStoreBuilder<Pooled<Postgres>> {
    /// Sets whether statements are prepared, as they are by default.
    ///
    /// Behind PgBouncer in the mode `transaction`, and proxies like it, each statement may meet another connection, which
    /// does not know what was prepared. PgBouncer 1.21 and later take care of that if `max_prepared_statements` is set.
    /// Otherwise say `false`: each statement is then sent whole, with its values as hexadecimal text, in one message. The
    /// store then opens connections of its own, with the options of the pool, which log no statements.
    ///
    /// ```no_run
    /// # use sessionkit_sql::PostgresStore;
    /// # fn example(pool: sqlx::PgPool) -> Result<(), sessionkit_sql::SqlSetupError> {
    /// let store = PostgresStore::builder(pool).prepared_statements(false).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn prepared_statements(mut self, prepared: bool) -> Self {
        self.executor_mut().set_prepared(prepared);
        self
    }

    /// Sets the way to the server past a proxy, for the one connection that listens for ended sessions.
    ///
    /// Without PgBouncer it is not needed: the store listens in the way in which its pool connects. A proxy that gives each
    /// transaction another connection passes no notices on. So with `prepared_statements(false)` and without this, the
    /// processes learn that a session ended when they look, at the interval `watch_interval`.
    ///
    /// ```no_run
    /// # use sessionkit_sql::PostgresStore;
    /// # fn example(pool: sqlx::PgPool) -> Result<(), Box<dyn std::error::Error>> {
    /// let store = PostgresStore::builder(pool)
    ///     .prepared_statements(false)
    ///     .listen_directly("postgres://app@db.internal:5432/app".parse()?)
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn listen_directly(mut self, options: PgConnectOptions) -> Self {
        self.executor_mut().direct = Some(Arc::new(options));
        self
    }
}

impl SqlAuditLogBuilder<Pooled<Postgres>> {
    /// Sets whether statements are prepared; see [`SqlStoreBuilder::prepared_statements`].
    pub fn prepared_statements(mut self, prepared: bool) -> Self {
        self.executor_mut().set_prepared(prepared);
        self
    }
}

impl Dialect for Pooled<Postgres> {
    const QUOTE: char = '"';
    const RECORD: &'static str = "BYTEA";
    const TEXT: &'static str = "TEXT COLLATE \"C\"";
    const NUMBER: &'static str = "BIGINT";
    const COMPUTED: &'static str = "STORED";
    const ON_TAKEN: &'static str = " ON CONFLICT (id) DO NOTHING";
    // Room on each page for the next version of a row, so that a touch changes no index; dead versions are soon removed.
    const CHANGING_TABLE: &'static str = " WITH (\n    fillfactor = 70,\n    autovacuum_vacuum_scale_factor = 0.05,\n    \
                                          autovacuum_vacuum_insert_scale_factor = 0.1\n)";
    const GROWING_TABLE: &'static str = "";
    const INDEX_IN_TABLE: bool = false;
    const INDEX_HAS_SCHEMA: bool = false;
    // In one transaction with what follows. A change that waits for its lock makes all others wait behind it.
    const ONE_WRITER: bool = false;
    const SETTINGS: &'static [Setting] = &[];
    const BEFORE_CHANGE: &'static str = "SET LOCAL lock_timeout = '2s';\n";

    fn bytes(_: usize) -> String {
        "BYTEA".to_owned()
    }

    fn places(sql: String) -> String {
        let mut numbered = String::with_capacity(sql.len() + 16);
        for (number, part) in sql.split('?').enumerate() {
            if number > 0 {
                let _ = write!(numbered, "${number}");
            }
            numbered.push_str(part);
        }
        numbered
    }

    fn among(column: &str, _: usize) -> String {
        format!("{column} = ANY(?)")
    }

    // The rows are locked as they are found, after another look at their newest versions: one that was touched meanwhile
    // stays, and one that a request is touching is left for the next time.
    fn sweep(table: &str) -> String {
        format!(
            "DELETE FROM {table} WHERE id = ANY(ARRAY(\
             SELECT id FROM {table} WHERE reclaim_at <= ? ORDER BY reclaim_at LIMIT ? FOR UPDATE SKIP LOCKED))"
        )
    }

    fn columns(name: &TableName) -> String {
        format!(
            // As bytes: text would come in another form when it is not prepared.
            "SELECT convert_to(attname::text, 'UTF8') FROM pg_catalog.pg_attribute \
             WHERE attrelid = to_regclass('{}') AND attnum > 0 AND NOT attisdropped",
            name.quoted(Self::QUOTE)
        )
    }

    fn listen(&self, listener: &Listener, channel: &str, notices: &Notices) {
        match &self.direct {
            Some(direct) => listener.begin(|| PgConnectOptions::clone(direct), channel, notices),
            None if self.prepared => listener.begin(|| (*self.pool.connect_options()).clone(), channel, notices),
            None => {}
        }
    }

    fn announce(&self, channel: &str, id: SessionId) {
        // Without a runtime nobody would do it.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (pooled, channel) = (self.clone(), channel.to_owned());
        runtime.spawn(async move {
            let (id, sql) = (id.to_string(), Sql::once(Self::places("SELECT pg_notify(?, ?)".to_owned())));
            // A notice is a hint: one that is lost delays the news.
            let _ = pooled.execute(&sql, &[Value::Text(Some(&channel)), Value::Text(Some(&id))]).await;
        });
    }

    fn size(name: &TableName) -> String {
        format!("pg_total_relation_size(to_regclass('{}'))", name.quoted(Self::QUOTE))
    }
}

executor_on_pools! {
    Postgres, PgRow, PgArguments, kind_of: kind_of, returned: return_to_pool,
    list: |arguments, list| arguments.add(list.iter().map(|bytes| bytes.to_vec()).collect::<Vec<Vec<u8>>>()),
    text: as_text
}

impl Pooled<Postgres> {
    /// Sets whether statements are prepared. If not, they go over a pool of their own, with the options of the first: sqlx
    /// logs statements, slow ones even as a warning, and the values would be part of them.
    fn set_prepared(&mut self, prepared: bool) {
        self.prepared = prepared;
        if !prepared {
            // PgBouncer refuses this setting, and sessions have no floating-point columns.
            let options = (*self.pool.connect_options()).clone().extra_float_digits(None).disable_statement_logging();
            self.pool = self.pool.options().clone().connect_lazy_with(options);
            self.kept = Some(Arc::new(Kept::new(&self.pool, return_to_pool)));
        }
    }
}

/// Puts the values into a statement. Bytes and text stand there as digits, which end nothing and begin nothing.
fn as_text(sql: &str, values: &[Value<'_>]) -> String {
    let mut text = String::with_capacity(sql.len() + 1024);
    let mut rest = sql;
    for (number, value) in (1..).zip(values) {
        let place = format!("${number}");
        let Some((before, after)) = rest.split_once(&place) else { break };
        text.push_str(before);
        rest = after;
        match value {
            Value::Bytes(bytes) => push_bytes(&mut text, bytes),
            Value::Text(Some(shown)) => {
                text.push_str("convert_from(");
                push_bytes(&mut text, shown.as_bytes());
                text.push_str(", 'UTF8')");
            }
            Value::Number(Some(number)) => drop(write!(text, "({number})")),
            Value::Text(None) | Value::Number(None) => text.push_str("NULL"),
            Value::List(list) => {
                text.push_str("ARRAY[");
                for (at, bytes) in list.iter().enumerate() {
                    text.push_str(if at > 0 { ", " } else { "" });
                    push_bytes(&mut text, bytes);
                }
                text.push_str("]::bytea[]");
            }
        }
    }
    text.push_str(rest);
    text
}

fn push_bytes(text: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    text.push_str("decode('");
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text.push_str("', 'hex')");
}

fn kind_of(error: &dyn DatabaseError) -> FailureKind {
    let code = error.code().unwrap_or_default();
    match &*code {
        "40001" | "40P01" => FailureKind::Conflict,
        "23505" => FailureKind::Taken,
        // An undefined table or column.
        "42P01" | "42703" => FailureKind::NoTable,
        "42501" => FailureKind::Forbidden,
        // The server is going down, or nobody knows if the transaction ended well.
        "40003" | "57P01" | "57P02" | "57P03" | "57P05" => FailureKind::Lost,
        _ if code.starts_with("08") => FailureKind::Lost,
        _ => FailureKind::Refused,
    }
}

#[cfg(test)]
mod tests {
    use sqlx::postgres::PgPoolOptions;

    use super::*;

    #[tokio::test]
    async fn statements_that_hold_values_are_not_logged() {
        let pool = PgPoolOptions::new().max_connections(3).connect_lazy("postgres://app@localhost/app").unwrap();
        let shown = |pool: &sqlx::PgPool| format!("{:?}", pool.connect_options());
        assert!(!shown(&pool).contains("statements_level: Off"), "sqlx logs them as a rule");
        let mut store = SqlStore::<Pooled<Postgres>>::builder(pool.clone()).prepared_statements(false);
        let mut log = crate::audit::SqlAuditLog::builder(pool.clone()).prepared_statements(false);
        for own in [store.executor_mut(), log.executor_mut()] {
            assert_eq!(shown(&own.pool).matches("statements_level: Off").count(), 2, "slow ones, too");
            assert_eq!(own.pool.options().get_max_connections(), 3);
        }
        assert!(!shown(&pool).contains("statements_level: Off"), "the pool of the application stays as it is");
    }

    #[test]
    fn values_become_digits() {
        let values =
            [Value::Bytes(b"a'b\\\0"), Value::Text(Some("'; drop")), Value::Number(Some(-3)), Value::Text(None)];
        let text = as_text("SELECT $1, $2, $3, $4 FROM t", &values);
        assert_eq!(
            text,
            "SELECT decode('6127625c00', 'hex'), convert_from(decode('273b2064726f70', 'hex'), 'UTF8'), (-3), NULL FROM t"
        );
        let list: [&[u8]; 2] = [b"\x01", b"\xff"];
        assert_eq!(as_text("$1", &[Value::List(&list)]), "ARRAY[decode('01', 'hex'), decode('ff', 'hex')]::bytea[]");
        let many = Pooled::<Postgres>::places("?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?".to_owned());
        assert!(as_text(&many, &[Value::Number(Some(1)); 11]).ends_with("(1), (1)"), "places of two digits");
    }
}
