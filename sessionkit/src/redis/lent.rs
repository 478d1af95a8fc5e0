//! A connection that belongs to the application.

use std::pin::Pin;

use ::redis::aio::ConnectionLike;
use ::redis::{Cmd, RedisError, Value};

/// A connection of any type of the crate `redis`.
pub(super) trait LentConnection: Send + Sync {
    /// Sends a command and awaits its reply.
    fn send<'a>(&'a self, command: &'a Cmd) -> Reply<'a>;
}

/// A reply that is awaited.
type Reply<'a> = Pin<Box<dyn Future<Output = Result<Value, RedisError>> + Send + 'a>>;

impl<C: ConnectionLike + Clone + Send + Sync + 'static> LentConnection for C {
    fn send<'a>(&'a self, command: &'a Cmd) -> Reply<'a> {
        // All clones share one connection, or one cluster.
        let mut connection = self.clone();
        Box::pin(async move { connection.req_packed_command(command).await?.extract_error() })
    }
}
