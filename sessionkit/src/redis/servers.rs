//! The server behind a store, or the servers.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ::redis::{Cmd, Pipeline, Value, cmd};
use sessionkit_core::{ScanCursor, StoreError};
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::cluster::{Cluster, Node, slot_of};
use super::connection::Connection;
use super::connections::{Connections, Home};
use super::failure::Failure;
use super::lent::LentConnection;
use super::scan::{scan_at, scan_in};

/// The server behind a store, or the servers.
#[derive(Clone)]
pub(super) enum Servers {
    /// One master, wherever it is.
    One(Connections, Home),
    /// The masters of a cluster.
    Cluster(Cluster),
    /// Whatever a connection of the application leads to.
    Lent(Arc<dyn LentConnection>),
}

impl Servers {
    /// Sends a command with one key to the server that has it, and awaits the reply for as long as the caller does.
    pub(super) async fn call(&self, key: &str, command: &Cmd) -> Result<Value, Failure> {
        match self {
            Self::One(connections, _) => connections.here().call(command).await,
            // Boxed, so that a call to one server stays small.
            Self::Cluster(cluster) => Box::pin(cluster.call(slot_of(key.as_bytes()), command)).await,
            Self::Lent(connection) => connection.send(command).await.map_err(Failure::of_command),
        }
    }

    /// Sends commands with one key in a row to the server that has it, and returns all replies, or one of the refusals.
    pub(super) async fn call_all(&self, key: &str, commands: &Pipeline) -> Result<Vec<Value>, Failure> {
        match self {
            Self::One(connections, _) => connections.here().call_all(commands).await,
            Self::Cluster(cluster) => cluster.call_all(slot_of(key.as_bytes()), commands).await,
            // Nothing is promised about the order of what others send on it.
            Self::Lent(_) => Err(not_on_a_lent_connection()),
        }
    }

    /// Sends a command that changes nothing.
    pub(super) async fn read(&self, key: &str, command: &Cmd) -> Result<Value, Failure> {
        match self.call(key, command).await {
            // Reading twice does no harm, and the server may just have been restarted.
            Err(Failure::Broken(_)) => self.call(key, command).await,
            reply => reply,
        }
    }

    /// Reads several strings; what is under a key of another type is no string.
    pub(super) async fn read_many(&self, keys: &[String]) -> Result<Vec<Value>, Failure> {
        match self {
            Self::One(connections, _) => {
                let (connection, command) = (connections.here(), &mut cmd("MGET"));
                command.arg(keys);
                let reply = match connection.call(command).await {
                    Err(Failure::Broken(_)) => connection.call(command).await,
                    reply => reply,
                }?;
                match reply {
                    Value::Array(values) => Ok(values),
                    other => Ok(vec![other]),
                }
            }
            Self::Cluster(cluster) => Box::pin(read_many_in(cluster, self, keys)).await,
            Self::Lent(_) => {
                let mut values = Vec::with_capacity(keys.len());
                for key in keys {
                    values.push(self.read_string(key).await?);
                }
                Ok(values)
            }
        }
    }

    /// Reads one string; what is under a key of another type is no string.
    async fn read_string(&self, key: &str) -> Result<Value, Failure> {
        match self.read(key, cmd("GET").arg(key)).await {
            Err(failure) if failure.is_wrong_type() => Ok(Value::Nil),
            reply => reply,
        }
    }

    /// Asks the servers whether they are there. A health check need not have a deadline, so this has one of its own.
    pub(super) async fn ping(&self) -> Result<(), Failure> {
        match self {
            Self::One(connections, _) => connections.here().ping().await,
            Self::Cluster(cluster) => Box::pin(cluster.ping()).await,
            Self::Lent(connection) => {
                let ping = cmd("PING");
                match timeout(LENT_PING, connection.send(&ping)).await {
                    Ok(reply) => reply.map(drop).map_err(Failure::of_command),
                    Err(_) => Err(Failure::TimedOut(LENT_PING)),
                }
            }
        }
    }

    /// Returns the connection to a server at which everything is heard that is published, after making sure of it.
    pub(super) async fn listening_place(&self) -> Result<Connection, Failure> {
        match self {
            Self::One(connections, _) => {
                let connection = connections.here();
                connection.confirm().await.map(|()| connection)
            }
            Self::Cluster(cluster) => cluster.any_node().await,
            Self::Lent(_) => Err(not_on_a_lent_connection()),
        }
    }

    /// Returns whether everything that is published is still heard there, as far as is known: a node may leave the cluster.
    pub(super) fn hears_all_at(&self, connection: &Connection) -> bool {
        match self {
            Self::Cluster(cluster) => cluster.masters().iter().any(|master| master.is_same(connection)),
            Self::One(..) | Self::Lent(_) => true,
        }
    }

    /// Publishes a message. Nobody awaits it, so that it is given up when no server takes it in time.
    pub(super) async fn publish(&self, channel: &str, message: &str) {
        let mut command = cmd("PUBLISH");
        command.arg(channel).arg(message);
        let publish = async {
            match self {
                Self::One(connections, _) => drop(connections.here().call(&command).await),
                Self::Cluster(cluster) => publish_in(cluster, &command).await,
                Self::Lent(connection) => drop(connection.send(&command).await),
            }
        };
        // A message is a hint: one that is lost delays the news.
        let _ = timeout(PUBLISHING, publish).await;
    }

    /// Asks for a page of the names that look like this, and returns where the scan goes on.
    pub(super) async fn scan(
        &self,
        pattern: &str,
        after: Option<&ScanCursor>,
        limit: usize,
    ) -> Result<(Vec<Value>, Option<ScanCursor>), StoreError> {
        match self {
            Self::One(connections, _) => {
                let (place, names) =
                    scan_at(&connections.here(), pattern, after.map(ScanCursor::as_bytes), limit).await?;
                Ok((names, place.map(ScanCursor::from_bytes)))
            }
            Self::Cluster(cluster) => Box::pin(scan_in(cluster, pattern, after, limit)).await,
            // A cursor is worth nothing on another server, and nobody says when it is another one.
            Self::Lent(_) => Err(StoreError::unsupported(
                "a store over a connection of the application cannot list what it holds: build one from a URL",
            )),
        }
    }

    /// Asks each master for its memory, and how much it may use.
    pub(super) async fn memory(&self) -> Vec<String> {
        let connections = match self {
            Self::One(connections, _) => vec![connections.here()],
            Self::Cluster(cluster) => cluster.masters(),
            Self::Lent(_) => Vec::new(),
        };
        let mut answers = Vec::new();
        for connection in connections {
            let mut command = cmd("INFO");
            match connection.call(command.arg("memory")).await {
                Ok(Value::BulkString(text)) => answers.push(String::from_utf8_lossy(&text).into_owned()),
                Ok(Value::VerbatimString { text, .. }) => answers.push(text),
                // Not everybody may ask.
                _ => {}
            }
        }
        answers
    }

    /// Returns whether there is a place at which everything is heard that is published.
    pub(super) fn can_listen(&self) -> bool {
        !matches!(self, Self::Lent(_))
    }

    /// Runs a task that concerns the whole store: in the runtime that built it, or if that is over in the one that calls.
    pub(super) fn spawn<Task>(&self, task: impl Fn() -> Task) -> Option<AbortHandle>
    where
        Task: Future<Output = ()> + Send + 'static,
    {
        self.home().map(|home| home.spawn(task))
    }

    /// Runs a task in the runtime that calls.
    pub(super) fn spawn_here(&self, task: impl Future<Output = ()> + Send + 'static) {
        match self.home() {
            Some(home) => home.spawn_here(task),
            None => {
                if let Ok(runtime) = Handle::try_current() {
                    runtime.spawn(task);
                }
            }
        }
    }

    fn home(&self) -> Option<&Home> {
        match self {
            Self::One(_, home) => Some(home),
            Self::Cluster(cluster) => Some(cluster.home()),
            Self::Lent(_) => None,
        }
    }
}

/// A message that no server takes within this time is given up.
const PUBLISHING: Duration = Duration::from_secs(2);

/// A master of a cluster that does not take a message within this time is not waited for.
const PUBLISHING_AT_ONE: Duration = Duration::from_millis(500);

/// The longest wait for a connection of the application to answer a health check.
const LENT_PING: Duration = Duration::from_secs(1);

fn not_on_a_lent_connection() -> Failure {
    Failure::NotConnected("a connection of the application serves single commands".to_owned())
}

impl fmt::Debug for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(connections, _) => connections.fmt(f),
            Self::Cluster(cluster) => cluster.fmt(f),
            Self::Lent(_) => f.write_str("a connection of the application"),
        }
    }
}

/// Publishes a message at the first master that takes it: each passes on what is published at another.
async fn publish_in(cluster: &Cluster, command: &Cmd) {
    for connection in cluster.open_first().await.unwrap_or_default() {
        match timeout(PUBLISHING_AT_ONE, connection.call(command)).await {
            // One that hangs may take it later: to hear of an end twice does no harm.
            Err(_) | Ok(Err(Failure::Broken(_))) => {}
            Ok(Err(failure)) if failure.may_be_sent_elsewhere() => {}
            Ok(_) => return,
        }
    }
}

/// Reads from each node what it has, in one round trip. A key that moves meanwhile is read by itself.
async fn read_many_in(cluster: &Cluster, servers: &Servers, keys: &[String]) -> Result<Vec<Value>, Failure> {
    let mut values: Vec<Option<Value>> = vec![None; keys.len()];
    let mut groups: Vec<(Arc<Node>, Vec<usize>)> = Vec::new();
    for (number, key) in keys.iter().enumerate() {
        let Some(node) = cluster.master_of(slot_of(key.as_bytes())) else { continue };
        match groups.iter_mut().find(|(known, _)| known.address == node.address) {
            Some((_, group)) => group.push(number),
            None => groups.push((node, vec![number])),
        }
    }
    for (node, numbers) in groups {
        let mut gets = Pipeline::with_capacity(numbers.len());
        for number in &numbers {
            gets.cmd("GET").arg(&keys[*number]);
        }
        let Ok(link) = node.connections.here().link().await else { continue };
        let Ok(replies) = link.send_all(&gets).await else { continue };
        for (number, reply) in numbers.into_iter().zip(replies) {
            values[number] = match reply {
                Err(failure) if failure.is_wrong_type() => Some(Value::Nil),
                reply => reply.ok(),
            };
        }
    }
    let mut all = Vec::with_capacity(keys.len());
    for (key, value) in keys.iter().zip(values) {
        all.push(match value {
            Some(value) => value,
            None => servers.read_string(key).await?,
        });
    }
    Ok(all)
}

/// A proxy or another server may answer in its own way; what it did is anybody's guess.
pub(super) fn unexpected_reply() -> StoreError {
    StoreError::unknown("the server's reply is not one of our command's")
}
