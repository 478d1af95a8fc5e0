//! Records of another system in Redis.

use std::fmt;
use std::time::Duration;

use redis::aio::ConnectionLike;
use redis::{Cmd, FromRedisValue, RedisError};
use sessionkit_core::ForeignError;

use super::records::{ForeignRecords, LARGEST_RECORD};

/// The records of another system in Redis, over a connection that the application has: a `MultiplexedConnection`, a
/// `ConnectionManager` or a `ClusterConnection`.
#[derive(Clone)]
pub struct RedisRecords<C> {
    connection: C,
}

impl<C: ConnectionLike + Clone + Send + Sync + 'static> RedisRecords<C> {
    /// Takes a connection. Its timeouts are its own.
    pub fn new(connection: C) -> Self {
        Self { connection }
    }

    async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, ForeignError> {
        command.query_async(&mut self.connection.clone()).await.map_err(failed)
    }
}

impl<C: ConnectionLike + Clone + Send + Sync + 'static> ForeignRecords for RedisRecords<C> {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, ForeignError> {
        // One byte more than is read tells that there is more; an empty record is no session of any system.
        let record: Vec<u8> = self.ask(redis::cmd("GETRANGE").arg(key).arg(0).arg(LARGEST_RECORD)).await?;
        if record.len() > LARGEST_RECORD {
            return Err(ForeignError::unreadable("the record is too large"));
        }
        Ok(Some(record).filter(|record| !record.is_empty()))
    }

    async fn set(&self, key: &str, record: Vec<u8>, ttl: Duration) -> Result<(), ForeignError> {
        self.ask(redis::cmd("SET").arg(key).arg(record).arg("EX").arg(ttl.as_secs().max(1))).await
    }

    async fn remove(&self, key: &str) -> Result<(), ForeignError> {
        self.ask(redis::cmd("DEL").arg(key)).await
    }
}

fn failed(error: RedisError) -> ForeignError {
    if error.code() == Some("WRONGTYPE") {
        return ForeignError::unreadable("the record is of another type");
    }
    ForeignError::unavailable(error)
}

/// Shows the type alone.
impl<C> fmt::Debug for RedisRecords<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedisRecords")
    }
}
