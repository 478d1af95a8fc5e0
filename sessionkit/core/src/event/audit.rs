//! An audit trail: events in the order in which they happened, in a table that only grows.

use std::collections::VecDeque;
use std::fmt::{self, Display};
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Notify;

use super::entry::AuditEntry;
use super::{EventSink, SessionEvent};
use crate::panics::await_caught;

/// The largest number of entries in one append.
const BATCH: usize = 100;

/// The time that an append may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// The pause after a first failure; it doubles with each.
const PAUSE: Duration = Duration::from_millis(100);

/// The number of times in a row that an append may fail while a caller waits for the end.
const LAST_ATTEMPTS: u32 = 3;

/// A log in which an [`AuditSink`] keeps its entries: a table that only grows, as a rule. An [`Arc`] of a log is a log too,
/// for applications that also read it.
///
/// ```
/// # use sessionkit_core as sessionkit;
/// use sessionkit::{AuditEntry, AuditLog};
///
/// struct Printed;
///
/// impl AuditLog for Printed {
///     type Error = std::io::Error;
///
///     async fn append(&self, entries: &[AuditEntry]) -> Result<(), std::io::Error> {
///         use std::io::Write as _;
///         let mut out = std::io::stdout();
///         for entry in entries {
///             writeln!(out, "{} {} {:?}", entry.at.unix_seconds(), entry.event, entry.user_id)?;
///         }
///         out.flush()
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an audit log",
    label = "expected a type that implements `AuditLog`",
    note = "a log is a type of yours, not a function or a closure: write `impl AuditLog for ..` with `type Error` and `async fn append`"
)]
pub trait AuditLog: Send + Sync + 'static {
    /// The error of an append. It goes to the log.
    type Error: Display;

    /// Appends entries, in this order, all of them or none. After an error, after ten seconds without an answer, and after
    /// a panic the same entries come again: a log that may have kept them nevertheless has them twice.
    fn append(&self, entries: &[AuditEntry]) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

impl<T: AuditLog> AuditLog for Arc<T> {
    type Error = T::Error;

    fn append(&self, entries: &[AuditEntry]) -> impl Future<Output = Result<(), T::Error>> + Send {
        (**self).append(entries)
    }
}

/// Keeps an audit trail: who logged in and out, whose sessions were revoked, who was refused.
///
/// Entries wait in a queue, at most [`capacity`](Self::capacity) of them, and are appended one batch after the other, in
/// the order of the events; requests do not wait for that. Half of the room is kept for events that concern a user, since
/// any visitor can be refused as often as they like. Nothing is lost silently: a log that fails is tried again, and
/// reported (`audit_failed`); what finds no room in the queue is counted, reported (`audit_overflow`), and stands in the
/// trail as one entry `entries_lost`. [`SessionManager::drain`](crate::SessionManager::drain) waits until the queue is
/// empty, and says so if the log does not take it (`audit_unwritten`).
///
/// ```
/// # use sessionkit_core as sessionkit;
/// use sessionkit::{AuditEntry, AuditLog, AuditSink, MemoryStore, SessionManager};
///
/// # struct Table;
/// # impl AuditLog for Table {
/// #     type Error = String;
/// #     async fn append(&self, _: &[AuditEntry]) -> Result<(), String> { Ok(()) }
/// # }
/// let manager = SessionManager::builder(MemoryStore::new()).event_sink(AuditSink::new(Table)).build();
/// # let _ = manager;
/// ```
pub struct AuditSink {
    shared: Arc<Shared>,
    capacity: usize,
    keeps: Box<Keeps>,
}

type Keeps = dyn Fn(&SessionEvent<'_>) -> bool + Send + Sync;

impl AuditSink {
    /// Keeps the entries in `log`: events whose kind [is audited](super::EventKind::is_audited), up to 10 000 of them
    /// waiting.
    pub fn new(log: impl AuditLog) -> Self {
        let shared = Shared { log: Box::new(log), queue: Mutex::default(), hurry: Notify::new(), idle: Notify::new() };
        Self { shared: Arc::new(shared), capacity: 10_000, keeps: Box::new(|event| event.kind().is_audited()) }
    }

    /// Lets so many entries wait, at least one.
    pub fn capacity(mut self, capacity: usize) -> Self {
        self.capacity = capacity.max(1);
        self
    }

    /// Keeps the events for which `keeps` says so, whatever their kind. Keeping what any visitor can cause, such as
    /// `rejected`, lets visitors fill the queue.
    pub fn keeping(mut self, keeps: impl Fn(&SessionEvent<'_>) -> bool + Send + Sync + 'static) -> Self {
        self.keeps = Box::new(keeps);
        self
    }
}

impl EventSink for AuditSink {
    fn record(&self, event: &SessionEvent<'_>) {
        if !(self.keeps)(event) {
            return;
        }
        // A flood of anonymous requests must not keep out what users do.
        let room = if event.user_id().is_some() { self.capacity } else { self.capacity.div_ceil(2) };
        let mut queue = self.shared.queue();
        if queue.entries.len() >= room {
            queue.lose(event, self.capacity);
            return;
        }
        let lost = queue.lost.take();
        queue.entries.extend(lost);
        queue.entries.push_back(AuditEntry::new(event));
        // What happens outside of a runtime waits for the next entry, or for the end.
        if let (false, Ok(runtime)) = (queue.writing, Handle::try_current()) {
            runtime.spawn(Writer::begin(&self.shared, &mut queue).run());
        }
    }

    fn flush(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.shared.flush())
    }
}

impl fmt::Debug for AuditSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditSink").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}

struct Shared {
    log: Box<dyn DynAuditLog>,
    queue: Mutex<Queue>,
    /// Wakes a writer that pauses.
    hurry: Notify,
    /// Tells that no writer is at work.
    idle: Notify,
}

#[derive(Default)]
struct Queue {
    entries: VecDeque<AuditEntry>,
    /// The entry that stands for those that found no room since the last one that did.
    lost: Option<AuditEntry>,
    writing: bool,
    /// The number of callers that wait for the end.
    waiting: usize,
}

impl Queue {
    fn lose(&mut self, event: &SessionEvent<'_>, capacity: usize) {
        if self.lost.is_none() {
            tracing::error!(target: "sessionkit", event = "audit_overflow", capacity, "audit entries are being lost");
        }
        self.lost.get_or_insert_with(|| AuditEntry::none_lost(event)).lost += 1;
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn flush(self: &Arc<Self>) {
        let _waiting = Waiting::new(self);
        self.hurry.notify_waiters();
        loop {
            let mut idle = pin!(self.idle.notified());
            idle.as_mut().enable();
            let writer = {
                let mut queue = self.queue();
                if queue.writing { None } else { Some(Writer::begin(self, &mut queue)) }
            };
            match writer {
                Some(writer) => {
                    writer.run().await;
                    let left = self.queue().entries.len();
                    if left > 0 {
                        tracing::error!(target: "sessionkit", event = "audit_unwritten", left, "audit entries not written");
                    }
                    return;
                }
                None => idle.await,
            }
        }
    }
}

/// A caller that waits for the end.
struct Waiting<'a>(&'a Shared);

impl<'a> Waiting<'a> {
    fn new(shared: &'a Shared) -> Self {
        shared.queue().waiting += 1;
        Self(shared)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.queue().waiting -= 1;
    }
}

/// The one who appends, one at a time.
struct Writer {
    shared: Arc<Shared>,
    /// True if another one may have begun already.
    done: bool,
}

impl Writer {
    fn begin(shared: &Arc<Shared>, queue: &mut Queue) -> Self {
        queue.writing = true;
        Self { shared: shared.clone(), done: false }
    }

    /// Appends until nothing is left, or until a caller waits for the end and the log keeps failing.
    async fn run(mut self) {
        let shared = self.shared.clone();
        let mut failures: u32 = 0;
        loop {
            let batch: Vec<AuditEntry> = {
                let mut queue = shared.queue();
                if queue.entries.is_empty() || (queue.waiting > 0 && failures >= LAST_ATTEMPTS) {
                    queue.writing = false;
                    self.done = true;
                    return;
                }
                queue.entries.iter().take(BATCH).cloned().collect()
            };
            match append(&*shared.log, &batch).await {
                Ok(()) => {
                    failures = 0;
                    let mut queue = shared.queue();
                    queue.entries.drain(..batch.len());
                    let lost = queue.lost.take();
                    queue.entries.extend(lost);
                }
                Err(error) => {
                    let waiting = batch.len();
                    tracing::error!(target: "sessionkit", event = "audit_failed", %error, waiting, "audit log failed");
                    // Up to a minute and a half.
                    let pause = PAUSE * 2_u32.pow(failures.min(10));
                    failures += 1;
                    shared.pause(pause).await;
                }
            }
        }
    }
}

impl Shared {
    /// Waits before another attempt, unless a caller waits for the end.
    async fn pause(&self, pause: Duration) {
        let mut hurry = pin!(self.hurry.notified());
        hurry.as_mut().enable();
        if self.queue().waiting == 0 {
            let _ = tokio::time::timeout(pause, hurry).await;
        }
    }
}

/// Also where the writer's runtime ends before it: what it had begun with is in the queue still.
impl Drop for Writer {
    fn drop(&mut self) {
        if !self.done {
            self.shared.queue().writing = false;
        }
        self.shared.idle.notify_waiters();
    }
}

/// An [`AuditLog`] whose type the sink does not name.
trait DynAuditLog: Send + Sync {
    fn append<'a>(&'a self, entries: &'a [AuditEntry])
    -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;
}

impl<T: AuditLog> DynAuditLog for T {
    fn append<'a>(
        &'a self,
        entries: &'a [AuditEntry],
    ) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>> {
        Box::pin(async move { AuditLog::append(self, entries).await.map_err(|error| error.to_string()) })
    }
}

/// Appends in time, whatever the log does.
async fn append(log: &dyn DynAuditLog, entries: &[AuditEntry]) -> Result<(), String> {
    let appending = await_caught(async { log.append(entries).await });
    match tokio::time::timeout(DEADLINE, appending).await {
        Ok(Some(appended)) => appended,
        Ok(None) => Err("it panicked".to_owned()),
        Err(_) => Err(format!("no answer within {} seconds", DEADLINE.as_secs())),
    }
}
