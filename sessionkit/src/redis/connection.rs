//! One connection for everybody, which comes back by itself.

use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ::redis::aio::{MultiplexedConnection, PubSubStream};
use ::redis::{Cmd, Value};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::endpoint::Endpoint;
use super::failure::Failure;

/// A call that was given up after less than this says nothing about the server: its client may have left.
const SILENCE: Duration = Duration::from_millis(200);

/// After this many unanswered calls in a row the connection is replaced: the server may hang, or be another one by now.
const STRIKES: u32 = 2;

/// The connection, shared by all clones of a store.
///
/// It belongs to the runtime that built the store, whoever asks: the runtime of a worker may end before the others.
#[derive(Clone)]
pub(super) struct Connection(Arc<Shared>);

struct Shared {
    endpoint: Endpoint,
    runtime: Handle,
    connect_timeout: Duration,
    response_timeout: Duration,
    state: Mutex<State>,
}

enum State {
    Idle,
    /// Somebody connects; all wait for the same attempt.
    Connecting(watch::Receiver<Option<Attempt>>),
    Open(Arc<Link>),
}

/// What came of an attempt to connect, or why nothing did.
type Attempt = Result<Arc<Link>, Arc<str>>;

impl Connection {
    pub(super) fn new(
        endpoint: Endpoint,
        runtime: Handle,
        connect_timeout: Duration,
        response_timeout: Duration,
    ) -> Self {
        let state = Mutex::new(State::Idle);
        Self(Arc::new(Shared { endpoint, runtime, connect_timeout, response_timeout, state }))
    }

    /// Sends a command and awaits its reply.
    ///
    /// Dropping the future gives up the reply; the command may be executed all the same.
    pub(super) async fn call(&self, command: &Cmd) -> Result<Value, Failure> {
        let link = self.link().await.map_err(|reason| Failure::NotConnected(reason.to_string()))?;
        let mut call = Call::new(&self.0, &link);
        let mut connection = link.connection.clone();
        let reply = timeout(self.0.response_timeout, command.query_async::<Value>(&mut connection)).await;
        let outcome = match reply {
            Ok(reply) => reply.map_err(Failure::of_command),
            Err(_) => return Err(Failure::TimedOut(self.0.response_timeout)),
        };
        match &outcome {
            Err(Failure::Broken(_)) => self.0.discard(&link),
            _ => link.answered(),
        }
        call.waits = false;
        outcome
    }

    /// Opens another connection, for what is published on a channel; `None` where that does not go now.
    pub(super) async fn subscribe(&self, channel: &str) -> Option<PubSubStream> {
        timeout(self.0.connect_timeout, self.0.endpoint.subscribe(channel)).await.ok()?.ok()
    }

    /// Runs a task where the connection lives.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        self.0.runtime.spawn(task).abort_handle()
    }

    /// The open connection, or else a new one.
    async fn link(&self) -> Attempt {
        let mut attempt = match self.0.begin() {
            Ok(link) => return Ok(link),
            Err(attempt) => attempt,
        };
        match attempt.wait_for(Option::is_some).await {
            Ok(done) => done.clone().expect("waited until there is one"),
            Err(_) => Err("the runtime that built the store has ended".into()),
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0.endpoint, f)
    }
}

impl Shared {
    /// The open connection, or the attempt to wait for.
    fn begin(self: &Arc<Self>) -> Result<Arc<Link>, watch::Receiver<Option<Attempt>>> {
        let mut state = self.lock();
        match &*state {
            State::Open(link) if !link.driver.is_finished() => return Ok(link.clone()),
            // An attempt without a sender died with its runtime.
            State::Connecting(attempt) if attempt.has_changed().is_ok() => return Err(attempt.clone()),
            _ => {}
        }
        let (sender, attempt) = watch::channel(None);
        *state = State::Connecting(attempt.clone());
        drop(state);
        // A task, so that a caller who gives up leaves nobody else without a connection.
        self.runtime.spawn(self.clone().connect(sender));
        Err(attempt)
    }

    async fn connect(self: Arc<Self>, sender: watch::Sender<Option<Attempt>>) {
        let attempt: Attempt = match timeout(self.connect_timeout, self.endpoint.open()).await {
            Ok(Ok((connection, driver))) => {
                Ok(Arc::new(Link::new(connection, self.runtime.spawn(driver).abort_handle())))
            }
            Ok(Err(error)) => Err(error.to_string().into()),
            Err(_) => Err(format!("no connection within {:?}", self.connect_timeout).into()),
        };
        *self.lock() = match &attempt {
            Ok(link) => State::Open(link.clone()),
            Err(_) => State::Idle,
        };
        sender.send_replace(Some(attempt));
    }

    /// Lets the next call connect anew. Calls that wait on this connection go on waiting.
    fn discard(&self, discarded: &Arc<Link>) {
        let mut state = self.lock();
        if matches!(&*state, State::Open(link) if Arc::ptr_eq(link, discarded)) {
            *state = State::Idle;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that is done under the lock can panic half-way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An open connection.
struct Link {
    connection: MultiplexedConnection,
    driver: AbortHandle,
    answers: AtomicU64,
    strikes: AtomicU32,
}

impl Link {
    fn new(connection: MultiplexedConnection, driver: AbortHandle) -> Self {
        Self { connection, driver, answers: AtomicU64::new(0), strikes: AtomicU32::new(0) }
    }

    fn answered(&self) {
        self.answers.fetch_add(1, Ordering::Relaxed);
        self.strikes.store(0, Ordering::Relaxed);
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // No call waits any more, and a hung server would keep the driver waiting.
        self.driver.abort();
    }
}

/// A call that waits for its reply. Most that fail are dropped by a caller whose deadline is shorter than ours.
struct Call<'a> {
    shared: &'a Shared,
    link: &'a Arc<Link>,
    since: Instant,
    answers: u64,
    waits: bool,
}

impl<'a> Call<'a> {
    fn new(shared: &'a Shared, link: &'a Arc<Link>) -> Self {
        let answers = link.answers.load(Ordering::Relaxed);
        Self { shared, link, since: Instant::now(), answers, waits: true }
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        let silent = self.waits
            && self.since.elapsed() >= SILENCE
            // Redis answers in order: whoever got an answer meanwhile shows that the server is only slow.
            && self.link.answers.load(Ordering::Relaxed) == self.answers;
        if silent && self.link.strikes.fetch_add(1, Ordering::Relaxed) + 1 >= STRIKES {
            self.shared.discard(self.link);
        }
    }
}
