//! MySQL and MariaDB.

use sqlx::MySql;
use sqlx::error::{DatabaseError, ErrorKind};
use sqlx::mysql::{MySqlArguments, MySqlConnectOptions, MySqlDatabaseError, MySqlRow};

use crate::dialect::{Dialect, Setting};
use crate::executor::Value;
use crate::failure::FailureKind;
use crate::names::{SqlSetupError, TableName};
use crate::pooled::{Pooled, open_pool, return_to_pool};
use crate::store::{SqlStore, SqlStoreBuilder};

/// Sessions in MySQL or MariaDB.
///
/// It is tested on MariaDB. The statements keep to what MySQL 8 documents.
///
/// ```no_run
/// use sessionkit_sql::MySqlStore;
/// use sqlx::MySqlPool;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = MySqlPool::connect("mysql://app@localhost/app").await?;
/// let store = MySqlStore::new(pool);
/// store.create_schema().await?;
/// # Ok(())
/// # }
/// ```
pub type MySqlStore = SqlStore<Pooled<MySql>>;

impl SqlStore<Pooled<MySql>> {
    /// Opens a pool of its own, and creates the table if it is not there.
    ///
    /// For TLS, enable the feature `tls`, or one of those of sqlx in the application.
    ///
    /// # Errors
    /// Fails when the URL is not one of MySQL, and when the server does not answer or refuses.
    pub async fn connect(url: &str) -> Result<Self, SqlSetupError> {
        let store = Self::open(url).await?.build()?;
        store.create_schema().await?;
        Ok(store)
    }

    /// Opens the pool of [`connect`](Self::connect) for a store with settings, for the package `sessionkit`.
    #[doc(hidden)]
    pub async fn open(url: &str) -> Result<SqlStoreBuilder<Pooled<MySql>>, SqlSetupError> {
        // The error may quote the URL, a password included. That the server is MariaDB shows in its greeting.
        let url = url.strip_prefix("mariadb:").map_or(url.to_owned(), |rest| format!("mysql:{rest}"));
        let options = url.parse::<MySqlConnectOptions>().map_err(|_| {
            SqlSetupError::of_url(
                "the URL is not one of MySQL: write `mysql://user:password@host/database`, and special characters of the \
                 password with `%`, such as `%2F` for `/`",
            )
        })?;
        Ok(SqlStoreBuilder::on(Pooled::<MySql>::alone(open_pool(options).await?)))
    }
}

impl Dialect for Pooled<MySql> {
    const QUOTE: char = '`';
    const RECORD: &'static str = "LONGBLOB";
    const TEXT: &'static str = "VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";
    const NUMBER: &'static str = "BIGINT";
    const COMPUTED: &'static str = "STORED";
    // `INSERT IGNORE` would swallow other errors too; a key that is taken is one that we know.
    const ON_TAKEN: &'static str = "";
    const CHANGING_TABLE: &'static str =
        " ENGINE = InnoDB ROW_FORMAT = DYNAMIC CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";
    const GROWING_TABLE: &'static str = Self::CHANGING_TABLE;
    const INDEX_IN_TABLE: bool = true;
    const INDEX_HAS_SCHEMA: bool = false;
    const ONE_WRITER: bool = false;
    const SETTINGS: &'static [Setting] = &[];
    const BEFORE_CHANGE: &'static str = "";

    fn bytes(longest: usize) -> String {
        format!("VARBINARY({longest})")
    }

    fn places(sql: String) -> String {
        sql
    }

    fn among(column: &str, count: usize) -> String {
        format!("{column} IN ({})", vec!["?"; count].join(", "))
    }

    // It looks at the newest version of each row as it locks it.
    fn sweep(table: &str) -> String {
        format!("DELETE FROM {table} WHERE reclaim_at <= ? ORDER BY reclaim_at LIMIT ?")
    }

    fn columns(name: &TableName) -> String {
        let schema = name.schema().map_or("DATABASE()".to_owned(), |schema| format!("'{schema}'"));
        format!(
            "SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = {schema} AND TABLE_NAME = '{}'",
            name.table()
        )
    }

    fn size(name: &TableName) -> String {
        let schema = name.schema().map_or("DATABASE()".to_owned(), |schema| format!("'{schema}'"));
        format!(
            "CAST(DATA_LENGTH + INDEX_LENGTH AS SIGNED) FROM information_schema.TABLES \
             WHERE TABLE_SCHEMA = {schema} AND TABLE_NAME = '{}'",
            name.table()
        )
    }
}

executor_on_pools! {
    MySql, MySqlRow, MySqlArguments, kind_of: kind_of, returned: return_to_pool,
    list: |arguments, list| list.iter().try_for_each(|bytes| arguments.add(*bytes)), text: as_text
}

fn as_text(sql: &str, _: &[Value<'_>]) -> String {
    sql.to_owned()
}

fn kind_of(error: &dyn DatabaseError) -> FailureKind {
    let number = error.try_downcast_ref::<MySqlDatabaseError>().map_or(0, MySqlDatabaseError::number);
    match number {
        _ if error.kind() == ErrorKind::UniqueViolation => FailureKind::Taken,
        // A deadlock, a certification failure of a cluster, and MariaDB's "record has changed since last read".
        1213 | 3101 | 1020 => FailureKind::Conflict,
        // The table was changed since the transaction began, or since the statement was prepared: both did nothing.
        1412 | 1615 => FailureKind::Conflict,
        // No such table, no such column.
        1146 | 1054 => FailureKind::NoTable,
        // No right on the database, the table, or a column.
        1044 | 1142 | 1143 => FailureKind::Forbidden,
        // The server is going down, the connection was ended, or the commit went wrong.
        1053 | 1180 | 1317 | 1927 | 1158..=1161 => FailureKind::Lost,
        _ if error.code().is_some_and(|code| code.starts_with("08")) => FailureKind::Lost,
        _ => FailureKind::Refused,
    }
}
