//! Writes that wait for replicas.

use std::time::Duration;

use ::redis::{Cmd, Pipeline, Value};

use super::failure::{Failure, RedisSetupError};
use super::servers::Servers;

/// The replicas that each write waits for, and the connections on which it does.
///
/// `WAIT` holds up whatever is behind it on its connection. So these are connections of their own, and reads do not wait.
#[derive(Clone)]
pub(super) struct Replication {
    servers: Servers,
    wanted: Wanted,
}

/// The number of replicas, and the longest wait for them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub(super) replicas: u32,
    pub(super) timeout: Duration,
}

impl Wanted {
    pub(super) fn check(self) -> Result<Self, RedisSetupError> {
        if self.replicas == 0 {
            return Err(RedisSetupError::new(
                "a write waits for one replica at least: leave the setting out to wait for none",
            ));
        }
        // Redis takes zero for an endless wait.
        if self.timeout < Duration::from_millis(1) {
            return Err(RedisSetupError::new("a write waits for its replicas for one millisecond at least"));
        }
        Ok(self)
    }
}

impl Replication {
    pub(super) fn new(servers: Servers, wanted: Wanted) -> Self {
        Self { servers, wanted }
    }

    /// Sends a command that writes something, whatever it finds, and waits until the replicas have it.
    pub(super) async fn call(&self, key: &str, command: Cmd) -> Result<Value, Failure> {
        let Wanted { replicas, timeout } = self.wanted;
        let mut commands = Pipeline::with_capacity(2);
        let milliseconds = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        commands.add_command(command).cmd("WAIT").arg(replicas).arg(milliseconds);
        match <[Value; 2]>::try_from(self.servers.call_all(key, &commands).await?) {
            Ok([reply, Value::Int(have)]) if have >= i64::from(replicas) => Ok(reply),
            Ok([_, Value::Int(have)]) => Err(Failure::NotReplicated { have, wanted: replicas }),
            _ => Err(Failure::Unexpected),
        }
    }
}
