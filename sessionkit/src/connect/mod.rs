//! Opening the store that a URL names.

mod address;
mod audit;
mod error;

use sessionkit_core::{AnyStore, MemoryStore};
#[cfg(feature = "mysql")]
use sessionkit_sql::MySqlStore;
#[cfg(feature = "postgres")]
use sessionkit_sql::PostgresStore;
#[cfg(feature = "sqlite")]
use sessionkit_sql::SqliteStore;

use self::address::{Address, Backend};

pub use self::address::served_forms;
pub use self::audit::{AuditTrail, open_audit};
pub use self::error::ConnectError;

/// Builds a store in the table that a URL names. The stores have no trait that could be named here.
#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
macro_rules! sql_store {
    ($builder:expr, $address:expr, $creates:expr) => {{
        let mut builder = $builder;
        if let Some(table) = $address.table {
            builder = builder.table(table);
        }
        if let Some(schema) = $address.schema {
            builder = builder.schema(schema);
        }
        let store = builder.build().map_err(|error| ConnectError::InvalidUrl(error.to_string()))?;
        if $creates {
            store.create_schema().await.map_err(ConnectError::store)?;
        }
        Ok(AnyStore::new(store))
    }};
}

/// Opens the store that a URL names, for applications that are told where their sessions are when they start.
///
/// | URL | store | feature |
/// |---|---|---|
/// | `memory:` | the memory of this process | |
/// | `file:./sessions`, `file:/var/lib/shop/sessions` | a directory | `file` |
/// | `sqlite:sessions.db`, `sqlite:/var/lib/shop/sessions.db` | a file of SQLite | `sqlite` |
/// | `postgres://user:password@host[:port]/database` | PostgreSQL | `postgres` |
/// | `mysql://user:password@host[:port]/database` | MySQL or MariaDB | `mysql` |
/// | `redis://[[user]:password@]host[:port][/database]`, `unix:///path` | Redis or Valkey | `redis` |
/// | `redis+cluster://[[user]:password@]host[:port],host[:port]` | a Redis Cluster, by some of its nodes | `redis` |
/// | `redis+sentinel://[[user]:password@]host[:port],host[:port]/master[/database]` | the master that sentinels name | `redis` |
/// | `rediss://..`, `rediss+cluster://..`, `rediss+sentinel://..` | the same over TLS | `redis-tls` |
///
/// For TLS to PostgreSQL or MySQL, enable `postgres-tls` or `mysql-tls`, and say so in the URL: `?sslmode=verify-full`, or
/// `?ssl-mode=VERIFY_IDENTITY` for MySQL. Without a word about it the connection is encrypted if the server offers it.
///
/// `valkey:` and `valkeys:` are the same as `redis:` and `rediss:`, `postgresql:` as `postgres:`, and `mariadb:` as `mysql:`.
/// Special characters in a password are encoded with `%`, as in `p%40ss` for `p@ss`. The path of `file:` is taken as it is.
///
/// These parameters are SessionKit's, all others go to the driver:
///
/// | parameter | of | |
/// |---|---|---|
/// | `prefix` | Redis | the prefix of the keys: `redis://localhost?prefix=shop:session:` |
/// | `wait_replicas`, `wait_timeout` | Redis | a write waits until so many replicas have it, for so many milliseconds (100) |
/// | `sentinel_user`, `sentinel_password` | Redis with sentinels | the login at the sentinels, which is not that at the master |
/// | `table` | SQL | the name of the table: `sqlite:app.db?table=shop_sessions` |
/// | `schema` | PostgreSQL, MySQL | the schema in which the table is |
/// | `audit_table` | SQL | the name of the audit trail, for the program `sessionkit`, which notes there what it ends |
/// | `prepared_statements` | PostgreSQL | `false` behind a proxy that pools transactions |
///
/// A directory, a file or a table that is missing is created. Directories above it are not.
///
/// ```
/// use sessionkit::{SessionConfig, SessionManager};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let url = std::env::var("SESSION_STORE").unwrap_or_else(|_| "memory:".to_owned());
/// let manager = SessionManager::new(sessionkit::connect(&url).await?, SessionConfig::default());
/// # let _ = manager;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// Fails when the URL cannot be used, when one of these parameters is misspelt, when the URL needs a feature that is off, and
/// when the store does not answer. No error shows the URL: a password may be in it.
pub async fn connect(url: &str) -> Result<AnyStore, ConnectError> {
    open(url, true).await
}

/// Opens the store that a URL names. `creates` says whether the place of the sessions is made if it is missing: looking
/// at a store is no reason to.
pub async fn open(url: &str, creates: bool) -> Result<AnyStore, ConnectError> {
    let address = Address::parse(url)?;
    match address.backend {
        Backend::Memory => Ok(AnyStore::new(MemoryStore::new())),
        #[cfg(feature = "redis")]
        Backend::Redis => redis(address).await,
        #[cfg(feature = "redis-tls")]
        Backend::RedisTls => redis(address).await,
        #[cfg(feature = "file")]
        Backend::File => file(address, creates).await,
        #[cfg(feature = "sqlite")]
        Backend::Sqlite => {
            let builder = SqliteStore::open(&address.url, creates).await.map_err(no_pool)?;
            sql_store!(builder, address, creates)
        }
        #[cfg(feature = "postgres")]
        Backend::Postgres => {
            let builder = PostgresStore::open(&address.url).await.map_err(no_pool)?;
            sql_store!(builder.prepared_statements(address.prepares_statements), address, creates)
        }
        #[cfg(feature = "mysql")]
        Backend::MySql => {
            let builder = MySqlStore::open(&address.url).await.map_err(no_pool)?;
            sql_store!(builder, address, creates)
        }
        #[allow(unreachable_patterns, reason = "some feature is off")]
        _ => {
            let _ = creates;
            Err(ConnectError::MissingFeature(address.backend.feature()))
        }
    }
}

#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
fn no_pool(error: sessionkit_sql::SqlSetupError) -> ConnectError {
    if error.is_of_url() { ConnectError::InvalidUrl(error.to_string()) } else { ConnectError::store(error) }
}

/// Returns the SQL that creates the tables in a database of this kind: `postgres`, `mysql` or `sqlite`.
pub fn schema_of(database: &'static str) -> Result<String, ConnectError> {
    match database {
        #[cfg(feature = "postgres")]
        "postgres" => Ok(PostgresStore::default_schema()),
        #[cfg(feature = "mysql")]
        "mysql" => Ok(MySqlStore::default_schema()),
        #[cfg(feature = "sqlite")]
        "sqlite" => Ok(SqliteStore::default_schema()),
        feature => Err(ConnectError::MissingFeature(feature)),
    }
}

#[cfg(feature = "file")]
async fn file(address: Address, creates: bool) -> Result<AnyStore, ConnectError> {
    let path = std::path::PathBuf::from(address.url.split_once(':').map_or("", |(_, path)| path));
    if path.as_os_str().is_empty() {
        return Err(ConnectError::InvalidUrl("the URL names no directory: write `file:./sessions`".to_owned()));
    }
    let opening = tokio::task::spawn_blocking(move || match creates || path.is_dir() {
        true => crate::file::FileStore::open(path).map_err(ConnectError::store),
        false => Err(ConnectError::store("there is no such directory: check its path, and from where it begins")),
    });
    Ok(AnyStore::new(opening.await.map_err(ConnectError::store)??))
}

#[cfg(feature = "redis")]
async fn redis(address: Address) -> Result<AnyStore, ConnectError> {
    let mut builder = crate::redis::RedisStore::builder(address.url);
    if let Some(prefix) = address.prefix {
        builder = builder.prefix(prefix);
    }
    let store = builder.build().map_err(|error| ConnectError::InvalidUrl(error.to_string()))?;
    store.ping().await.map_err(ConnectError::store)?;
    store.warn_of_eviction().await;
    Ok(AnyStore::new(store))
}
