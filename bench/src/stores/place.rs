//! The place where a store keeps its sessions, and the space that they take up there.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use sqlx::{AssertSqlSafe, Connection as _, MySqlConnection, PgConnection, SqliteConnection};

use super::said;
use crate::process::Result;

/// A place of sessions.
pub enum Place {
    /// The heap, which the section on many sessions counts.
    Heap,
    /// The URL of a database of Redis.
    Redis(String),
    /// The URL of a database, and the table.
    Postgres(String, &'static str),
    /// The URL of a database, and the table.
    MySql(String, &'static str),
    /// The URL of a file.
    Sqlite(String),
    Directory(PathBuf),
}

impl Place {
    /// Returns the bytes that are taken up; `None` if they are not known.
    pub async fn bytes(&self) -> Result<Option<f64>> {
        match self {
            Self::Heap => Ok(None),
            Self::Redis(url) => redis(url).map(Some),
            Self::Postgres(url, table) => postgres(url, table).await.map(Some),
            Self::MySql(url, table) => mysql(url, table).await.map(Some),
            Self::Sqlite(url) => sqlite(url).await.map(Some),
            Self::Directory(path) => directory(path).map(|bytes| Some(bytes as f64)).map_err(said),
        }
    }
}

/// Adds up the `MEMORY USAGE` of all keys.
fn redis(url: &str) -> Result<f64> {
    let mut connection = redis::Client::open(url).and_then(|client| client.get_connection()).map_err(said)?;
    let keys: Vec<Vec<u8>> = redis::cmd("KEYS").arg("*").query(&mut connection).map_err(said)?;
    // A pipeline without commands is an error.
    if keys.is_empty() {
        return Ok(0.0);
    }
    let mut pipe = redis::pipe();
    for key in keys {
        pipe.cmd("MEMORY").arg("USAGE").arg(key).arg("SAMPLES").arg(0);
    }
    let bytes: Vec<f64> = pipe.query(&mut connection).map_err(said)?;
    Ok(bytes.iter().sum())
}

async fn postgres(url: &str, table: &str) -> Result<f64> {
    let mut connection = PgConnection::connect(url).await.map_err(said)?;
    let size = format!("SELECT pg_total_relation_size('{table}')");
    let bytes: i64 = sqlx::query_scalar(AssertSqlSafe(size)).fetch_one(&mut connection).await.map_err(said)?;
    Ok(bytes as f64)
}

/// Counts the pages with rows and keys: a table reserves others by the megabyte.
async fn mysql(url: &str, table: &str) -> Result<f64> {
    let mut connection = MySqlConnection::connect(url).await.map_err(said)?;
    sqlx::raw_sql(AssertSqlSafe(format!("ANALYZE TABLE {table}"))).execute(&mut connection).await.map_err(said)?;
    let name = table.rsplit('.').next().unwrap_or(table);
    let pages = format!(
        "SELECT CAST(SUM(stat_value) * @@innodb_page_size AS SIGNED) FROM mysql.innodb_index_stats \
         WHERE stat_name = 'n_leaf_pages' AND table_name = '{name}'"
    );
    let bytes: i64 = sqlx::query_scalar(AssertSqlSafe(pages)).fetch_one(&mut connection).await.map_err(said)?;
    Ok(bytes as f64)
}

async fn sqlite(url: &str) -> Result<f64> {
    let mut connection = SqliteConnection::connect(url).await.map_err(said)?;
    let bytes = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
    let bytes: i64 = sqlx::query_scalar(bytes).fetch_one(&mut connection).await.map_err(said)?;
    Ok(bytes as f64)
}

/// Adds up the blocks of all files.
fn directory(path: &Path) -> std::io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        bytes += if metadata.is_dir() { directory(&entry.path())? } else { metadata.blocks() * 512 };
    }
    Ok(bytes)
}
