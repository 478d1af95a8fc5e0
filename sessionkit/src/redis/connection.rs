//! One connection for all callers of a runtime, which comes back by itself.

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::redis::aio::{PubSubSink, PubSubStream};
use ::redis::{Cmd, Pipeline, Value, cmd};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use super::backoff::Backoff;
use super::endpoint::Endpoint;
use super::failure::Failure;
use super::link::{Link, Standing};

/// A call waits this long for attempts to connect to begin, which is the longest of the default deadlines. In an outage that
/// lasts it waits for one attempt, and says what that failed with.
const PATIENCE: Duration = Duration::from_millis(500);

/// The text about a connection whose runtime is over.
const RUNTIME_ENDED: &str = "the tokio runtime that the connection to Redis lives on has ended: name one that lasts with \
    `RedisStoreBuilder::runtime`, or none";

/// The number of connections that were opened in this process.
static OPENED: AtomicU64 = AtomicU64::new(0);

/// The connection, shared by all its clones. Its tasks run on one runtime.
#[derive(Clone)]
pub(super) struct Connection(Arc<Shared>);

struct Shared {
    endpoint: Arc<Endpoint>,
    runtime: Handle,
    connect_timeout: Duration,
    state: Mutex<State>,
    number: AtomicU64,
}

struct State {
    phase: Phase,
    backoff: Backoff,
    /// The reason why there is no connection, for those who do not wait for the next attempt.
    reason: Arc<str>,
}

enum Phase {
    Closed,
    /// An attempt to connect is under way; all callers wait for it.
    Connecting(watch::Receiver<Option<Attempt>>),
    Open(Arc<Link>),
}

/// The outcome of an attempt to connect, or the reason why there is no connection.
type Attempt = Result<Arc<Link>, Arc<str>>;

/// The state of the connection that a call finds when it needs one.
enum Found {
    Open(Arc<Link>),
    Connecting(watch::Receiver<Option<Attempt>>),
    Paused { until: Instant, lasting: bool, reason: Arc<str> },
}

impl Connection {
    pub(super) fn new(endpoint: Arc<Endpoint>, runtime: Handle, connect_timeout: Duration) -> Self {
        let state = State { phase: Phase::Closed, backoff: Backoff::default(), reason: "not tried yet".into() };
        let (state, number) = (Mutex::new(state), AtomicU64::new(0));
        Self(Arc::new(Shared { endpoint, runtime, connect_timeout, state, number }))
    }

    /// Sends a command and awaits its reply, for as long as the caller does.
    ///
    /// Dropping the future gives up the reply; the command may be executed all the same.
    pub(super) async fn call(&self, command: &Cmd) -> Result<Value, Failure> {
        match self.call_once(command).await {
            // It was not executed, and the next connection leads elsewhere: to the new master, after a failover.
            Err(failure) if failure.is_of_wrong_server() => Box::pin(self.call_once(command)).await,
            outcome => outcome,
        }
    }

    /// Sends commands in a row, with none of another caller between them, and returns all replies, or one of the refusals.
    pub(super) async fn call_all(&self, commands: &Pipeline) -> Result<Vec<Value>, Failure> {
        let send = async || self.link().await?.send_all(commands).await?.into_iter().collect();
        match send().await {
            Err(failure) if failure.is_of_wrong_server() => send().await,
            outcome => outcome,
        }
    }

    /// Asks the server whether it is there. A health check need not have a deadline, so this has one of its own.
    pub(super) async fn ping(&self) -> Result<(), Failure> {
        match self.ping_once().await {
            // The server may have been restarted since anybody asked it anything.
            Err(Failure::Broken(_)) => self.ping_once().await,
            outcome => outcome,
        }
    }

    /// Makes sure that there is a connection, and that it leads to a master.
    pub(super) async fn confirm(&self) -> Result<(), Failure> {
        self.link().await.map(drop)
    }

    /// Returns the number of the connection that was opened last, which no other connection of this process has. Another
    /// number means that the server may be another one.
    pub(super) fn number(&self) -> u64 {
        self.0.number.load(Ordering::Relaxed)
    }

    /// Returns whether this is a clone of the same connection.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Returns whether the connection ended and nobody opens another, as it is when its runtime is over.
    pub(super) fn is_over(&self) -> bool {
        match &self.0.lock().phase {
            Phase::Closed => Arc::strong_count(&self.0) == 1,
            Phase::Connecting(attempt) => attempt.has_changed().is_err(),
            Phase::Open(link) => !link.is_usable() && Arc::strong_count(&self.0) == 1,
        }
    }

    /// Opens another connection, for what is published on a channel; `None` if that fails.
    pub(super) async fn subscribe(&self, channel: &str) -> Option<(PubSubSink, PubSubStream)> {
        timeout(self.0.connect_timeout, self.0.endpoint.subscribe(channel)).await.ok()?.ok()
    }

    async fn call_once(&self, command: &Cmd) -> Result<Value, Failure> {
        let now = Instant::now();
        match self.0.ready(now) {
            Some(link) => link.send(command, now).await,
            // Rare, and boxed, so that a call stays small.
            None => {
                let link = Box::pin(self.link()).await?;
                link.send(command, Instant::now()).await
            }
        }
    }

    async fn ping_once(&self) -> Result<(), Failure> {
        let link = self.link().await?;
        let bound = self.0.connect_timeout;
        match timeout(bound, link.send(&cmd("PING"), Instant::now())).await {
            Ok(reply) => reply.map(drop),
            Err(_) => Err(Failure::TimedOut(bound)),
        }
    }

    /// Returns whether a connection is open, as far as is known.
    pub(super) fn is_open(&self) -> bool {
        matches!(&self.0.lock().phase, Phase::Open(link) if link.is_usable())
    }

    /// Returns the open connection if it can be used as it is.
    pub(super) fn ready(&self, now: Instant) -> Option<Arc<Link>> {
        self.0.ready(now)
    }

    /// Returns the open connection, or else a new one.
    pub(super) async fn link(&self) -> Result<Arc<Link>, Failure> {
        let patience = Instant::now() + PATIENCE;
        let mut tried = false;
        loop {
            match self.0.find() {
                Found::Open(link) => match link.standing(Instant::now()) {
                    Standing::Fresh => return Ok(link),
                    Standing::Due => {
                        self.0.check_beside(&link);
                        return Ok(link);
                    }
                    Standing::Overdue => link.check().await,
                },
                Found::Connecting(mut attempt) => match attempt.wait_for(Option::is_some).await.as_deref() {
                    Ok(Some(Ok(link))) => return Ok(link.clone()),
                    Ok(_) => tried = true,
                    Err(_) => {
                        return Err(Failure::NotConnected(RUNTIME_ENDED.to_owned()));
                    }
                },
                Found::Paused { until, lasting, .. } if until <= patience && !(tried && lasting) => {
                    sleep_until(until).await;
                }
                Found::Paused { reason, .. } => return Err(Failure::NotConnected(reason.to_string())),
            }
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0.endpoint, f)
    }
}

impl Shared {
    /// Returns the open connection if it can be used as it is.
    fn ready(&self, now: Instant) -> Option<Arc<Link>> {
        match &self.lock().phase {
            Phase::Open(link) if link.is_usable() && link.standing(now) == Standing::Fresh => Some(link.clone()),
            _ => None,
        }
    }

    /// Returns the open connection, or the attempt to wait for, which begins with this unless it is too early.
    fn find(self: &Arc<Self>) -> Found {
        let now = Instant::now();
        let mut guard = self.lock();
        let state = &mut *guard;
        match &state.phase {
            Phase::Open(link) if link.is_usable() => return Found::Open(link.clone()),
            Phase::Open(link) => {
                state.backoff.broke(link.opened(), now);
                state.reason = link.why_unusable().into();
                state.phase = Phase::Closed;
            }
            // An attempt without a sender died with its runtime.
            Phase::Connecting(attempt) if attempt.has_changed().is_ok() => return Found::Connecting(attempt.clone()),
            Phase::Connecting(_) | Phase::Closed => {}
        }
        if let Some(until) = state.backoff.wait_until(now) {
            let lasting = state.backoff.is_at_its_longest();
            return Found::Paused { until, lasting, reason: state.reason.clone() };
        }
        let (sender, attempt) = watch::channel(None);
        state.phase = Phase::Connecting(attempt.clone());
        drop(guard);
        // A task, so that a caller who gives up leaves nobody else without a connection.
        self.runtime.spawn(self.clone().connect(sender));
        Found::Connecting(attempt)
    }

    async fn connect(self: Arc<Self>, sender: watch::Sender<Option<Attempt>>) {
        let attempt: Attempt = match timeout(self.connect_timeout, self.dial()).await {
            Ok(Ok(link)) => Ok(Arc::new(link)),
            Ok(Err(reason)) => Err(reason.into()),
            Err(_) => Err(format!("no connection within {:?}", self.connect_timeout).into()),
        };
        let mut state = self.lock();
        match &attempt {
            Ok(link) => {
                self.number.store(OPENED.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                state.phase = Phase::Open(link.clone());
            }
            Err(reason) => {
                state.backoff.failed(Instant::now());
                state.reason = reason.clone();
                state.phase = Phase::Closed;
            }
        }
        drop(state);
        sender.send_replace(Some(attempt));
    }

    /// Opens a connection, and asks the server what it is before anybody else asks it anything.
    async fn dial(&self) -> Result<Link, String> {
        let (connection, driver, voucher) = self.endpoint.open().await.map_err(|error| error.to_string())?;
        let driver = self.runtime.spawn(driver).abort_handle();
        let is_node = self.endpoint.node().is_some();
        let link = Link::new(connection, driver, self.endpoint.question(), voucher, is_node);
        link.ask().await;
        if link.is_usable() { Ok(link) } else { Err(link.why_unusable().to_owned()) }
    }

    /// Checks the connection while others use it. The task holds the connection alone, and ends soon: it keeps no store
    /// alive.
    fn check_beside(&self, link: &Arc<Link>) {
        if link.begin_check_beside() {
            let link = link.clone();
            self.runtime.spawn(async move {
                link.check().await;
                link.end_check_beside();
            });
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that is done under the lock can panic half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
