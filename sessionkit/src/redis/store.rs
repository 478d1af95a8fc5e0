//! The store.

use std::fmt;
use std::sync::Arc;

use ::redis::{Cmd, Value, cmd};
use sessionkit_core::{
    Entry, EntryKey, EntryKind, Generation, InsertOutcome, Notices, RemoveOutcome, ReplaceOutcome, Revision,
    ScanCursor, ScanPage, SessionId, Store, StoreError,
};

use super::connection::Connection;
use super::failure::{Failure, RedisSetupError};
use super::script::{OneKeyScript, REMOVE, REPLACE};
use super::subscription::Subscription;

pub use builder::RedisStoreBuilder;

mod builder;

/// Sessions in Redis or Valkey: for more than one server, and for sessions that outlive a restart.
///
/// All clones share one connection, on which their commands are pipelined. When it breaks, or the server no longer
/// answers or is no longer the master, the next call opens another. Nothing has to be rebuilt, and the store can be built
/// while the server is down.
/// Where somebody awaits [`SessionHandle::ended`](crate::manual::SessionHandle::ended) there is a second one, on which
/// the server tells of sessions that ended.
///
/// ```no_run
/// use sessionkit::redis::RedisStore;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let store = RedisStore::connect("redis://localhost").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RedisStore {
    connection: Connection,
    prefix: String,
    subscription: Arc<Subscription>,
}

impl RedisStore {
    /// Builds a store for the server at `url`, which need not be up yet. Call it inside the runtime of your server.
    ///
    /// # Errors
    /// Fails when the URL is not one of a Redis server, and outside of a tokio runtime.
    ///
    /// ```
    /// use sessionkit::redis::RedisStore;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), sessionkit::redis::RedisSetupError> {
    /// let store = RedisStore::new("redis://:password@localhost:6379/2")?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(url: &str) -> Result<Self, RedisSetupError> {
        Self::builder(url).build()
    }

    /// Builds a store and makes sure that its server answers.
    ///
    /// # Errors
    /// Fails as [`new`](Self::new) does, and when the server does not answer.
    ///
    /// ```no_run
    /// use sessionkit::redis::RedisStore;
    ///
    /// # async fn example() -> Result<(), sessionkit::redis::RedisSetupError> {
    /// let store = RedisStore::connect("rediss://user:password@redis.example.org").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn connect(url: &str) -> Result<Self, RedisSetupError> {
        let store = Self::new(url)?;
        store.ping().await.map_err(|error| RedisSetupError::new(format!("{error:?}")))?;
        Ok(store)
    }

    /// Begins a store with settings of its own.
    ///
    /// ```
    /// use std::time::Duration;
    /// use sessionkit::redis::RedisStore;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), sessionkit::redis::RedisSetupError> {
    /// let store = RedisStore::builder("redis://localhost")
    ///     .prefix("shop:session:")
    ///     .connect_timeout(Duration::from_millis(300))
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder(url: impl Into<String>) -> RedisStoreBuilder {
        RedisStoreBuilder::new(url.into())
    }

    /// Asks the server whether it is there, for health checks.
    ///
    /// # Errors
    /// Fails when it does not answer.
    ///
    /// ```no_run
    /// # async fn example(store: sessionkit::redis::RedisStore) {
    /// let healthy = store.ping().await.is_ok();
    /// # }
    /// ```
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.connection.ping().await.map_err(Failure::of_read)
    }

    /// The key under which Redis keeps a session, for operators and tests.
    ///
    /// ```
    /// # use sessionkit::redis::RedisStore;
    /// use sessionkit::SessionId;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), sessionkit::redis::RedisSetupError> {
    /// let store = RedisStore::new("redis://localhost")?;
    /// assert_eq!(store.key(SessionId::from_bytes([0; 16])), "session:AAAAAAAAAAAAAAAAAAAAAA");
    /// # Ok(())
    /// # }
    /// ```
    pub fn key(&self, id: SessionId) -> String {
        format!("{}{id}", self.prefix)
    }

    fn entry_key(&self, key: &EntryKey) -> String {
        use std::fmt::Write as _;
        // In one piece: what `format!` guesses is too short.
        let mut text = String::with_capacity(self.prefix.len() + 48);
        text.push_str(&self.prefix);
        write!(text, "{key}").expect("writing to a string cannot fail");
        text
    }

    /// Runs a script, giving it to the server first if it does not have it.
    async fn run(&self, script: &OneKeyScript, key: &str, arguments: &[&[u8]]) -> Result<Value, StoreError> {
        let reply = match self.connection.call(&script.by_hash(key, arguments)).await {
            Err(failure) if failure.is_unknown_script() => {
                self.connection.call(&script.by_source(key, arguments)).await
            }
            reply => reply,
        };
        reply.map_err(|failure| if failure.is_wrong_type() { StoreError::corrupt(key) } else { failure.of_write() })
    }

    async fn read(&self, command: &Cmd) -> Result<Value, Failure> {
        match self.connection.call(command).await {
            // Reading twice does no harm, and the server may just have been restarted.
            Err(Failure::Broken(_)) => self.connection.call(command).await,
            reply => reply,
        }
    }

    /// Asks for a page of names; returns the number of the connection that answered, too.
    ///
    /// A cursor means nothing to another server, nor to the same one after a restart: a scan that meets another connection
    /// begins anew, and may have keys twice.
    async fn scan_on_one_connection(
        &self,
        kind: EntryKind,
        after: Option<&ScanCursor>,
        limit: usize,
    ) -> Result<(u64, Vec<Value>), StoreError> {
        for _ in 0..SCAN_TRIES {
            // Before the first call there is none.
            self.connection.confirm().await.map_err(Failure::of_read)?;
            let connection = self.connection.opened();
            let cursor = after.and_then(|after| cursor_on(connection, after)).unwrap_or(b"0");
            let mut command = cmd("SCAN");
            command.arg(cursor).arg("MATCH").arg(pattern(&self.prefix, kind)).arg("COUNT").arg(limit.max(1));
            let reply = self.read(&command).await.map_err(Failure::of_read)?;
            if self.connection.opened() == connection {
                let Value::Array(reply) = reply else { return Err(unexpected_reply()) };
                return Ok((connection, reply));
            }
        }
        Err(StoreError::unavailable("the connection to Redis kept breaking while its keys were listed"))
    }

    async fn read_many(&self, keys: &[String]) -> Result<Vec<Option<Entry>>, StoreError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let reply = self.read(cmd("MGET").arg(keys)).await.map_err(Failure::of_read)?;
        let Value::Array(values) = reply else { return Err(unexpected_reply()) };
        if values.len() != keys.len() {
            return Err(unexpected_reply());
        }
        values.into_iter().map(found).collect()
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").field("server", &self.connection).field("prefix", &self.prefix).finish()
    }
}

impl Store for RedisStore {
    async fn load(&self, key: &EntryKey) -> Result<Option<Entry>, StoreError> {
        let key = self.entry_key(key);
        let mut command = Cmd::with_capacity(2, 3 + key.len());
        let reply = self.read(command.arg("GET").arg(&key)).await;
        found(reply.map_err(|failure| match failure.is_wrong_type() {
            true => StoreError::corrupt(&key),
            false => failure.of_read(),
        })?)
    }

    async fn insert(&self, key: &EntryKey, entry: &Entry) -> Result<InsertOutcome, StoreError> {
        let mut command = cmd("SET");
        command.arg(self.entry_key(key)).arg(entry.bytes()).arg("NX").arg("PX").arg(milliseconds(entry));
        match self.connection.call(&command).await.map_err(Failure::of_write)? {
            Value::Okay => Ok(InsertOutcome::Inserted),
            Value::Nil => Ok(InsertOutcome::Taken),
            _ => Err(unexpected_reply()),
        }
    }

    async fn replace(&self, key: &EntryKey, held: Revision, entry: &Entry) -> Result<ReplaceOutcome, StoreError> {
        let (key, reclaim_in) = (self.entry_key(key), milliseconds(entry).to_string());
        let arguments = [&held.as_bytes()[..], entry.bytes(), reclaim_in.as_bytes()];
        Ok(match self.run(&REPLACE, &key, &arguments).await? {
            Value::Int(1) => ReplaceOutcome::Replaced,
            reply => found(reply)?.map_or(ReplaceOutcome::Absent, ReplaceOutcome::Changed),
        })
    }

    async fn remove(&self, key: &EntryKey, held: Generation) -> Result<RemoveOutcome, StoreError> {
        match self.run(&REMOVE, &self.entry_key(key), &[&held.to_bytes()[..]]).await? {
            Value::Int(0) => Ok(RemoveOutcome::Absent),
            Value::Int(_) => Ok(RemoveOutcome::Removed),
            // Between the comparison and the reply nothing can happen: there is an entry.
            reply => found(reply)?.map(RemoveOutcome::Changed).ok_or_else(unexpected_reply),
        }
    }

    async fn scan(&self, kind: EntryKind, after: Option<&ScanCursor>, limit: usize) -> Result<ScanPage, StoreError> {
        let (connection, reply) = self.scan_on_one_connection(kind, after, limit).await?;
        let Ok([Value::BulkString(next), Value::Array(names)]) = <[Value; 2]>::try_from(reply) else {
            return Err(unexpected_reply());
        };
        let names = names.into_iter().filter_map(|name| match name {
            Value::BulkString(name) => String::from_utf8(name).ok(),
            _ => None,
        });
        let keys = names.filter_map(|name| {
            let key = EntryKey::parse(name.strip_prefix(&self.prefix)?).filter(|key| key.kind() == kind)?;
            Some((key, name))
        });
        let (keys, names): (Vec<EntryKey>, Vec<String>) = keys.unzip();
        let entries = self.read_many(&names).await?;
        let entries = keys.into_iter().zip(entries).filter_map(|(key, entry)| Some((key, entry?))).collect();
        Ok(ScanPage { entries, next: (next != b"0").then(|| bound_cursor(connection, &next)) })
    }

    async fn load_many(&self, keys: &[EntryKey]) -> Result<Vec<Option<Entry>>, StoreError> {
        self.read_many(&keys.iter().map(|key| self.entry_key(key)).collect::<Vec<_>>()).await
    }

    fn notices(&self) -> Option<&Notices> {
        Some(self.subscription.notices())
    }

    fn announce(&self, id: SessionId) {
        self.subscription.announce(id);
    }
}

/// The number of connections on which a page of a scan is asked for before it fails.
const SCAN_TRIES: usize = 3;

/// Returns the cursor by which a scan goes on on the connection of this number alone.
fn bound_cursor(connection: u64, cursor: &[u8]) -> ScanCursor {
    ScanCursor::from_bytes([&connection.to_be_bytes(), cursor].concat())
}

/// Returns what the server goes on at; `None` if it said so on another connection.
fn cursor_on(connection: u64, bound: &ScanCursor) -> Option<&[u8]> {
    bound.as_bytes().strip_prefix(&connection.to_be_bytes())
}

/// The longest time that Redis is asked to keep an entry, about a century: it refuses numbers that are too large.
const LONGEST: u128 = 100 * 366 * 24 * 60 * 60 * 1000;

fn milliseconds(entry: &Entry) -> u64 {
    u64::try_from(entry.reclaim_in().as_millis().clamp(1, LONGEST)).unwrap_or(u64::MAX)
}

/// Returns what the names of all entries of a kind look like.
fn pattern(prefix: &str, kind: EntryKind) -> String {
    let special = |character: char| "*?[]^\\".contains(character);
    let escape = |character: char| if special(character) { vec!['\\', character] } else { vec![character] };
    let prefix: String = prefix.chars().flat_map(escape).collect();
    match kind {
        EntryKind::SessionList => format!("{prefix}@*"),
        // Names of one length, none of which begins with `@`.
        _ => format!("{prefix}{}", "?".repeat(22)),
    }
}

fn found(reply: Value) -> Result<Option<Entry>, StoreError> {
    match reply {
        Value::BulkString(bytes) => Ok(Some(Entry::from_bytes(bytes))),
        Value::Nil => Ok(None),
        _ => Err(unexpected_reply()),
    }
}

/// A proxy or another server may answer in its own way; what it did is anybody's guess.
fn unexpected_reply() -> StoreError {
    StoreError::unknown("the server's reply is not one of our command's")
}
