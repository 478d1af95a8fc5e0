//! Statements on a pool of sqlx.

use std::fmt;
use std::sync::Arc;

use sqlx::{Database, Pool};
use tokio::sync::Mutex;

use crate::dialect::Dialect;
#[cfg(any(feature = "mysql", feature = "postgres"))]
use crate::failure::Failure;
use crate::kept::Kept;
#[cfg(any(feature = "mysql", feature = "postgres"))]
use crate::names::SqlSetupError;

/// The pool of an application, and how it is used.
pub struct Pooled<DB: Database> {
    pub(crate) pool: Pool<DB>,
    /// False if each statement is sent as text, values included: for proxies that give every statement another
    /// connection.
    pub(crate) prepared: bool,
    /// Writers wait here for one another, in their order, if the database takes one writer at a time.
    pub(crate) turn: Option<Arc<Mutex<()>>>,
    /// The connections that the pool does not test between two calls, if it is the store's own.
    pub(crate) kept: Option<Arc<Kept<DB>>>,
    /// The way to the server for the connection that listens, if it is another one than the pool's.
    #[cfg(feature = "postgres")]
    pub(crate) direct: Option<Arc<sqlx::postgres::PgConnectOptions>>,
}

impl<DB: Database> Pooled<DB>
where
    Self: Dialect,
{
    pub(crate) fn new(pool: Pool<DB>) -> Self {
        Self {
            pool,
            prepared: true,
            turn: Self::ONE_WRITER.then(Arc::default),
            kept: None,
            #[cfg(feature = "postgres")]
            direct: None,
        }
    }
}

impl<DB: Database> Clone for Pooled<DB> {
    fn clone(&self) -> Self {
        Self {
            pool: self.pool.clone(),
            prepared: self.prepared,
            turn: self.turn.clone(),
            kept: self.kept.clone(),
            #[cfg(feature = "postgres")]
            direct: self.direct.clone(),
        }
    }
}

/// Shows the figures of the pool, and nothing of its URL.
impl<DB: Database> fmt::Debug for Pooled<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pooled")
            .field("database", &DB::NAME)
            .field("connections", &self.pool.size())
            .field("idle", &self.pool.num_idle())
            .finish_non_exhaustive()
    }
}

/// The longest wait for a connection of a pool that a store opened. Calls have the deadlines of the manager.
#[cfg(any(feature = "mysql", feature = "postgres"))]
const CONNECT_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);

/// Opens the pool of a store that has none from its application.
///
/// While a server refuses connections, a pool tries again, and in the end it knows only that the time is up. One more attempt
/// without it brings the reason to light.
#[cfg(any(feature = "mysql", feature = "postgres"))]
pub(crate) async fn open_pool<DB: Database>(
    options: <DB::Connection as sqlx::Connection>::Options,
) -> Result<Pool<DB>, SqlSetupError> {
    let pool = sqlx::pool::PoolOptions::<DB>::new().acquire_timeout(CONNECT_TIMEOUT);
    let error = match pool.connect_with(options.clone()).await {
        Ok(pool) => return Ok(pool),
        Err(sqlx::Error::PoolTimedOut) => {
            let attempt = tokio::time::timeout(LEFT_ALONE, sqlx::ConnectOptions::connect(&options)).await;
            attempt.ok().and_then(Result::err).unwrap_or(sqlx::Error::PoolTimedOut)
        }
        Err(error) => error,
    };
    Err(SqlSetupError::new(Failure::of_pool(&error).to_string()))
}

/// The time for which a connection may be silent that goes back to its pool. It may still be at work for a call that was
/// given up.
#[cfg(any(feature = "mysql", feature = "postgres"))]
const LEFT_ALONE: std::time::Duration = std::time::Duration::from_secs(2);

/// Returns a connection to a server to its pool, or ends it if it stays silent.
///
/// Before the pool takes a connection back it asks the server if it is still there, for as long as it takes: connections
/// that the network has lost without a word would use up the pool for good. The method is none of the documented ones;
/// without it, a connection could only be dropped, which does the same and never ends. A question of our own before that
/// would be a second one after each statement, and to detach the connection would open a new one for each. If a release of
/// sqlx takes the method away, this does not compile; `half_open_connections_do_not_use_up_the_pool` shows what it is for.
#[cfg(any(feature = "mysql", feature = "postgres"))]
pub(crate) fn return_to_pool<DB: Database>(mut connection: sqlx::pool::PoolConnection<DB>) {
    let returning = connection.return_to_pool();
    // Without a runtime there is nobody who could wait, and the connection ends here.
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(tokio::time::timeout(LEFT_ALONE, returning));
    }
}

/// Implements `Executor` on the pools of one database, for which sqlx has types but no bounds that can be written down.
#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
macro_rules! executor_on_pools {
    (
        $database:ty, $row:ty, $arguments:ty, kind_of: $kind_of:path, returned: $returned:path,
        list: |$into:ident, $list:ident| $add_list:expr, text: $as_text:path
    ) => {
        impl $crate::executor::Executor for $crate::pooled::Pooled<$database> {
            async fn execute(
                &self,
                sql: &$crate::executor::Sql,
                values: &[$crate::executor::Value<'_>],
            ) -> Result<u64, $crate::failure::Failure> {
                let arguments = arguments(values);
                let _turn = match &self.turn {
                    Some(turn) => Some(turn.lock().await),
                    None => None,
                };
                let mut connection = self.borrow().await?;
                let done = match self.prepared {
                    true => {
                        let text = sqlx::AssertSqlSafe(sql.text.clone());
                        let query = sqlx::query_with(text, arguments?).persistent(sql.kept);
                        query.execute(connection.get()).await
                    }
                    false => {
                        let text = sqlx::AssertSqlSafe($as_text(&sql.text, values));
                        sqlx::Executor::execute(connection.get(), text).await
                    }
                };
                let done = done.map_err(|error| $crate::failure::Failure::of_statement(&error, $kind_of));
                connection.end(&done);
                Ok(done?.rows_affected())
            }

            async fn fetch<T: Send>(
                &self,
                sql: &$crate::executor::Sql,
                values: &[$crate::executor::Value<'_>],
                read: fn(&dyn $crate::executor::Cells) -> Result<T, $crate::failure::Failure>,
            ) -> Result<Vec<T>, $crate::failure::Failure> {
                let arguments = arguments(values);
                let mut connection = self.borrow().await?;
                let rows = match self.prepared {
                    true => {
                        let text = sqlx::AssertSqlSafe(sql.text.clone());
                        let query = sqlx::query_with(text, arguments?).persistent(sql.kept);
                        query.fetch_all(connection.get()).await
                    }
                    false => {
                        let text = sqlx::AssertSqlSafe($as_text(&sql.text, values));
                        sqlx::Executor::fetch_all(connection.get(), text).await
                    }
                };
                let rows = rows.map_err(|error| $crate::failure::Failure::of_statement(&error, $kind_of));
                connection.end(&rows);
                rows?.iter().map(|row| read(row)).collect()
            }

            async fn run(&self, statements: String) -> Result<(), $crate::failure::Failure> {
                let mut connection = self.borrow().await?;
                let done = sqlx::Executor::execute(connection.get(), sqlx::AssertSqlSafe(statements)).await;
                drop(connection);
                done.map(drop).map_err(|error| $crate::failure::Failure::of_statement(&error, $kind_of))
            }

            fn connections(&self) -> u32 {
                self.pool.size()
            }
        }

        impl $crate::pooled::Pooled<$database> {
            async fn borrow(&self) -> Result<$crate::kept::Borrowed<$database>, $crate::failure::Failure> {
                match &self.kept {
                    Some(kept) => kept.borrow(&self.pool).await,
                    None => $crate::kept::Borrowed::of_pool(&self.pool, $returned).await,
                }
            }

            /// Uses a pool that nobody else does.
            pub(crate) fn alone(pool: sqlx::Pool<$database>) -> Self {
                let kept = std::sync::Arc::new($crate::kept::Kept::new(&pool, $returned));
                Self { kept: Some(kept), ..Self::new(pool) }
            }
        }

        fn arguments(values: &[$crate::executor::Value<'_>]) -> Result<$arguments, $crate::failure::Failure> {
            use sqlx::Arguments as _;
            let mut $into = <$arguments>::default();
            for value in values {
                let added = match *value {
                    $crate::executor::Value::Bytes(bytes) => $into.add(bytes),
                    $crate::executor::Value::Text(text) => $into.add(text),
                    $crate::executor::Value::Number(number) => $into.add(number),
                    $crate::executor::Value::List($list) => $add_list,
                };
                added.map_err(|error| {
                    $crate::failure::Failure::new($crate::failure::FailureKind::NotSent, error.to_string())
                })?;
            }
            Ok($into)
        }

        impl $crate::executor::Cells for $row {
            fn bytes(&self, at: usize) -> Result<Option<Vec<u8>>, $crate::failure::Failure> {
                // Whatever the type of the column has become: the engine knows what to do with bytes that are none of its own.
                let bytes = sqlx::Row::try_get_unchecked(self, at);
                bytes.map_err(|error| $crate::failure::Failure::of_statement(&error, $kind_of))
            }

            fn number(&self, at: usize) -> Result<Option<i64>, $crate::failure::Failure> {
                let number = sqlx::Row::try_get(self, at);
                number.map_err(|error| $crate::failure::Failure::of_statement(&error, $kind_of))
            }
        }
    };
}
