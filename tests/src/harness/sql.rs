//! The tables of sessions in databases.

use std::future::ready;
use std::time::Duration;

use sessionkit::sql::{MySqlStore, PostgresStore};
use sessionkit::store::EntryKey;
use sqlx::SqlitePool;
use sqlx::mysql::{MySqlPool, MySqlPoolOptions};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

use super::bench::is_of_a_running_server;
use super::{TestServer, TestStore};
use crate::servers::mariadb::MariaDbServer;
use crate::servers::postgres::PostgresServer;
use crate::servers::unique_name;

/// The time for which a pool waits for a connection: longer than any deadline, so that the caller gives up first.
const PATIENCE: Duration = Duration::from_secs(60);

const NO_SERVER: &str = "SQLite has no server";

/// A table of sessions, which no other test uses.
#[derive(Clone, Debug)]
pub struct SqlTable {
    name: String,
    database: Database,
}

/// A database, and how to ask it.
#[derive(Clone, Debug)]
enum Database {
    Postgres(String),
    MariaDb(String),
    Sqlite(SqlitePool),
}

impl SqlTable {
    /// A table in the PostgreSQL server that all tests share.
    pub fn in_shared_postgres() -> Self {
        Self { name: unique_name(), database: Database::Postgres(PostgresServer::shared().url()) }
    }

    /// A table in the MariaDB server that all tests share.
    pub fn in_shared_mariadb() -> Self {
        Self { name: unique_name(), database: Database::MariaDb(MariaDbServer::shared().url()) }
    }

    /// The table of a store in a SQLite file, on a pool of the same file.
    pub fn in_sqlite(pool: SqlitePool) -> Self {
        Self { name: "sessionkit_sessions".to_owned(), database: Database::Sqlite(pool) }
    }

    /// A table in a server; `None` if it has no tables.
    pub fn of(server: &TestServer) -> Option<Self> {
        let database = match server {
            TestServer::Redis(_) => return None,
            TestServer::Postgres(server) => Database::Postgres(server.url()),
            TestServer::MariaDb(server) => Database::MariaDb(server.url()),
        };
        Some(Self { name: unique_name(), database })
    }

    /// Returns the URL of the server. Panics if there is none.
    pub fn url(&self) -> &str {
        match &self.database {
            Database::Postgres(url) | Database::MariaDb(url) => url,
            Database::Sqlite(_) => panic!("{NO_SERVER}"),
        }
    }

    /// Returns the name of the table.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Makes a store in this table, which is created if it is not there. The server is reached at this URL.
    pub async fn store(&self, url: &str) -> TestStore {
        match &self.database {
            Database::Postgres(_) => self.in_postgres(postgres_pool(url)).await,
            Database::MariaDb(_) => self.in_mariadb(mysql_pool(url)).await,
            Database::Sqlite(_) => panic!("{NO_SERVER}"),
        }
    }

    async fn in_postgres(&self, pool: PgPool) -> TestStore {
        let store = PostgresStore::builder(pool).table(&self.name).build().expect("a good name");
        store.create_schema().await.expect("the server answers");
        TestStore::Postgres(store)
    }

    async fn in_mariadb(&self, pool: MySqlPool) -> TestStore {
        let store = MySqlStore::builder(pool).table(&self.name).build().expect("a good name");
        store.create_schema().await.expect("the server answers");
        TestStore::MySql(store)
    }

    /// Runs a statement, in which `{table}` stands for the table, with the client of the database. Returns the rows as
    /// lines; of SQLite the first column, if it is text.
    pub fn sql(&self, statement: &str) -> String {
        let statement = statement.replace("{table}", &self.name);
        match &self.database {
            Database::Postgres(url) => PostgresServer::sql_at(url, &statement),
            Database::MariaDb(url) => MariaDbServer::sql_at(url, &statement),
            Database::Sqlite(pool) => {
                let rows = sqlx::query_scalar::<_, String>(sqlx::AssertSqlSafe(statement)).fetch_all(pool);
                // The tests of the harness have several threads.
                let rows = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(rows));
                rows.expect("the file can be read").join("\n")
            }
        }
    }

    /// Everything that is in the table, byte for byte, keys included as they print.
    pub fn dump(&self) -> Vec<u8> {
        let hexadecimal = match &self.database {
            Database::Postgres(_) => self.sql(
                "SELECT encode(id, 'hex'), encode(record, 'hex'), encode(convert_to(concat_ws(' ', kind, scope, \
                 user_id, device_label), 'UTF8'), 'hex') FROM {table}",
            ),
            Database::MariaDb(_) => self.sql(
                "SELECT HEX(id), HEX(record), HEX(CONCAT_WS(' ', kind, scope, user_id, device_label)) FROM {table}",
            ),
            Database::Sqlite(_) => self.sql(
                "SELECT hex(id) || '|' || hex(record) || '|' || hex(kind || ' ' || coalesce(scope, '') || ' ' || \
                 coalesce(user_id, '') || ' ' || coalesce(device_label, '')) FROM {table}",
            ),
        };
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).expect("digits"), 16).expect("digits");
        let mut dump = Vec::new();
        for line in hexadecimal.lines() {
            for (at, cell) in line.split(['|', '\t']).enumerate() {
                let bytes: Vec<u8> = cell.as_bytes().chunks(2).map(byte).collect();
                // The first is the key.
                let key = Some(&bytes).filter(|_| at == 0).and_then(|bytes| EntryKey::from_bytes(bytes));
                dump.extend(key.iter().flat_map(|key| key.to_string().into_bytes()));
                dump.extend(bytes);
                dump.push(b'\n');
            }
        }
        dump
    }

    /// Returns how many sessions are in the table.
    pub fn sessions(&self) -> usize {
        let count = match &self.database {
            Database::Sqlite(_) => "CAST(COUNT(*) AS TEXT)",
            _ => "COUNT(*)",
        };
        self.sql(&format!("SELECT {count} FROM {{table}} WHERE kind = 'session'")).parse().expect("a number")
    }
}

/// The options of a pool that never gives up by itself.
fn postgres_options() -> PgPoolOptions {
    let options = PgPoolOptions::new().acquire_timeout(PATIENCE);
    options.before_acquire(|_, connection| Box::pin(ready(Ok(is_of_a_running_server(connection.age)))))
}

/// The options of a pool that never gives up by itself.
fn mysql_options() -> MySqlPoolOptions {
    let options = MySqlPoolOptions::new().acquire_timeout(PATIENCE);
    options.before_acquire(|_, connection| Box::pin(ready(Ok(is_of_a_running_server(connection.age)))))
}

/// A pool that never gives up by itself.
pub fn postgres_pool(url: &str) -> PgPool {
    postgres_options().connect_lazy(url).expect("the server's URL is valid")
}

/// A pool that never gives up by itself.
pub fn mysql_pool(url: &str) -> MySqlPool {
    mysql_options().connect_lazy(url).expect("the server's URL is valid")
}

/// The connections of a pool, for a test that takes them away.
#[derive(Clone, Debug)]
pub enum Connections {
    /// Of PostgreSQL.
    Postgres(PgPool),
    /// Of MariaDB.
    MariaDb(MySqlPool),
}

/// Connections that nobody else can use while this is there.
#[derive(Debug, Default)]
pub struct HeldConnections {
    postgres: Vec<sqlx::pool::PoolConnection<sqlx::Postgres>>,
    mariadb: Vec<sqlx::pool::PoolConnection<sqlx::MySql>>,
}

/// A row, or a table, that nobody else can change while this is there.
#[derive(Debug)]
pub enum Lock {
    /// In PostgreSQL.
    Postgres(sqlx::Transaction<'static, sqlx::Postgres>),
    /// In MariaDB.
    MariaDb(sqlx::Transaction<'static, sqlx::MySql>),
    /// A whole table in MariaDB, until the connection ends.
    MariaDbTable(sqlx::MySqlConnection),
}

impl SqlTable {
    /// Makes a store in this table with so many connections, which it gives as well.
    pub async fn store_of(&self, url: &str, connections: u32) -> (TestStore, Connections) {
        match &self.database {
            Database::Postgres(_) => {
                let pool = postgres_options().max_connections(connections);
                let pool = pool.connect_lazy(url).expect("the server's URL is valid");
                (self.in_postgres(pool.clone()).await, Connections::Postgres(pool))
            }
            Database::MariaDb(_) => {
                let pool = mysql_options().max_connections(connections);
                let pool = pool.connect_lazy(url).expect("the server's URL is valid");
                (self.in_mariadb(pool.clone()).await, Connections::MariaDb(pool))
            }
            Database::Sqlite(_) => panic!("{NO_SERVER}"),
        }
    }

    /// Makes a store in this table whose database ends every statement after less than half a second.
    pub async fn hasty_store(&self, url: &str) -> (TestStore, Connections) {
        match &self.database {
            Database::MariaDb(_) => {
                let pool = mysql_options().after_connect(|connection, _| {
                    Box::pin(
                        async move { sqlx::query("SET max_statement_time = 0.3").execute(connection).await.map(drop) },
                    )
                });
                let pool = pool.connect_lazy(url).expect("the server's URL is valid");
                (self.in_mariadb(pool).await, Connections::MariaDb(mysql_pool(url)))
            }
            _ => self.impatient_store(url).await,
        }
    }

    /// Makes a store in this table whose database gives up a statement after at most a second.
    pub async fn impatient_store(&self, url: &str) -> (TestStore, Connections) {
        match &self.database {
            Database::Postgres(_) => {
                let options: PgConnectOptions = url.parse().expect("the server's URL is valid");
                let pool = postgres_options();
                let pool = pool.connect_lazy_with(options.options([("statement_timeout", "300ms")]));
                (self.in_postgres(pool).await, Connections::Postgres(postgres_pool(url)))
            }
            Database::MariaDb(_) => {
                let pool = mysql_options().after_connect(|connection, _| {
                    Box::pin(async move {
                        sqlx::query("SET innodb_lock_wait_timeout = 1").execute(connection).await.map(drop)
                    })
                });
                let pool = pool.connect_lazy(url).expect("the server's URL is valid");
                (self.in_mariadb(pool).await, Connections::MariaDb(mysql_pool(url)))
            }
            Database::Sqlite(_) => panic!("{NO_SERVER}"),
        }
    }
}

impl Connections {
    /// Takes all connections, once they are free.
    ///
    /// # Panics
    /// If the server does not answer.
    pub async fn hold_all(&self) -> HeldConnections {
        let mut held = HeldConnections::default();
        match self {
            Self::Postgres(pool) => {
                for _ in 0..pool.options().get_max_connections() {
                    held.postgres.push(pool.acquire().await.expect("the server answers"));
                }
            }
            Self::MariaDb(pool) => {
                for _ in 0..pool.options().get_max_connections() {
                    held.mariadb.push(pool.acquire().await.expect("the server answers"));
                }
            }
        }
        held
    }

    /// Locks the row of a table to which a condition applies.
    ///
    /// # Panics
    /// If the server does not answer, or there is no such row.
    pub async fn lock_row(&self, table: &SqlTable, condition: &str) -> Lock {
        let find = sqlx::AssertSqlSafe(format!("SELECT id FROM {} WHERE {condition}", table.name()));
        // By its key: MariaDB locks what it looks at, and without an index that is all.
        let lock =
            |place: &str| sqlx::AssertSqlSafe(format!("SELECT id FROM {} WHERE id = {place} FOR UPDATE", table.name()));
        match self {
            Self::Postgres(pool) => {
                let id: Vec<u8> = sqlx::query_scalar(find).fetch_one(pool).await.expect("there is a row");
                let mut transaction = pool.begin().await.expect("the server answers");
                sqlx::query(lock("$1")).bind(id).execute(&mut *transaction).await.expect("the server answers");
                Lock::Postgres(transaction)
            }
            Self::MariaDb(pool) => {
                let id: Vec<u8> = sqlx::query_scalar(find).fetch_one(pool).await.expect("there is a row");
                let mut transaction = pool.begin().await.expect("the server answers");
                sqlx::query(lock("?")).bind(id).execute(&mut *transaction).await.expect("the server answers");
                Lock::MariaDb(transaction)
            }
        }
    }
}

impl Connections {
    /// Keeps everybody else from reading or writing a table.
    ///
    /// # Panics
    /// If the server does not answer.
    pub async fn lock_table(&self, table: &SqlTable) -> Lock {
        match self {
            Self::Postgres(pool) => {
                let lock = sqlx::AssertSqlSafe(format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", table.name()));
                let mut transaction = pool.begin().await.expect("the server answers");
                sqlx::query(lock).execute(&mut *transaction).await.expect("the server answers");
                Lock::Postgres(transaction)
            }
            Self::MariaDb(pool) => {
                let lock = sqlx::AssertSqlSafe(format!("LOCK TABLES {} WRITE", table.name()));
                let mut connection = pool.acquire().await.expect("the server answers").detach();
                sqlx::raw_sql(lock).execute(&mut connection).await.expect("the server answers");
                Lock::MariaDbTable(connection)
            }
        }
    }
}

impl Lock {
    /// Lets others change the row.
    ///
    /// # Panics
    /// If the server does not answer.
    pub async fn release(self) {
        let released = match self {
            Self::Postgres(transaction) => transaction.rollback().await,
            Self::MariaDb(transaction) => transaction.rollback().await,
            Self::MariaDbTable(connection) => sqlx::Connection::close(connection).await,
        };
        released.expect("the server answers");
    }
}
