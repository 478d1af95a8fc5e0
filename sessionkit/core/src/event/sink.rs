//! The sinks that events go to.

use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;

use super::timed::StoreCall;
use super::{About, EventKind, SessionEvent, kind};
use crate::panics::caught;
use crate::time::Clock;

/// Takes what happens to sessions, for a log, for metrics, for an audit trail.
///
/// [`SessionManagerBuilder::event_sink`](crate::SessionManagerBuilder::event_sink) adds one. It is called in the task of the
/// request, so it must neither wait nor take long; a sink that panics is reported and does the request no harm. An [`Arc`]
/// of a sink is a sink, for applications that ask it later what it recorded.
///
/// ```
/// # use sessionkit_core as sessionkit;
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use sessionkit::{EventKind, EventSink, MemoryStore, SessionEvent, SessionManager};
///
/// static LOGINS: AtomicU64 = AtomicU64::new(0);
///
/// struct CountLogins;
///
/// impl EventSink for CountLogins {
///     fn record(&self, event: &SessionEvent<'_>) {
///         if let EventKind::Login = event.kind() {
///             LOGINS.fetch_add(1, Ordering::Relaxed);
///         }
///     }
/// }
///
/// let manager = SessionManager::builder(MemoryStore::new()).event_sink(CountLogins).build();
/// # let _ = manager;
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event sink",
    label = "expected a type that implements `EventSink`",
    note = "a sink is a type of yours, not a function or a closure: write `impl EventSink for ..` with `fn record(&self, event: &SessionEvent<'_>)`"
)]
pub trait EventSink: Send + Sync + 'static {
    /// Takes an event.
    fn record(&self, event: &SessionEvent<'_>);

    /// Returns whether store calls are timed for [`record_store_call`](Self::record_store_call); they are not unless
    /// this says so. Asked once, when the manager is built.
    fn times_store_calls(&self) -> bool {
        false
    }

    /// Takes a call of the store that has ended.
    fn record_store_call(&self, call: &StoreCall) {
        let _ = call;
    }

    /// Waits until all that was recorded is where it belongs; [`SessionManager::drain`](crate::SessionManager::drain) waits for it.
    fn flush(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(ready(()))
    }
}

impl<T: EventSink + ?Sized> EventSink for Arc<T> {
    fn record(&self, event: &SessionEvent<'_>) {
        (**self).record(event);
    }

    fn times_store_calls(&self) -> bool {
        (**self).times_store_calls()
    }

    fn record_store_call(&self, call: &StoreCall) {
        (**self).record_store_call(call);
    }

    fn flush(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        (**self).flush()
    }
}

/// Writes events to the log, through `tracing`, under the target `sessionkit`. Every manager has it.
///
/// The field `event` is [`EventKind::name`]. The user is not logged.
#[derive(Clone, Copy, Debug, Default)]
pub struct TracingSink;

impl EventSink for TracingSink {
    fn record(&self, event: &SessionEvent<'_>) {
        kind::trace(event);
    }
}

/// The sinks of a manager.
pub(crate) struct Events {
    sinks: Vec<Arc<dyn EventSink>>,
    clock: Arc<dyn Clock>,
    scope: &'static str,
}

impl Events {
    pub(crate) fn new(sinks: Vec<Arc<dyn EventSink>>, clock: Arc<dyn Clock>, scope: &'static str) -> Self {
        Self { sinks, clock, scope }
    }

    /// Hands an event to all sinks.
    pub(crate) fn record(&self, kind: EventKind<'_>, about: About<'_>) {
        let event = SessionEvent { kind, at: self.clock.now(), scope: self.scope, about };
        for sink in &self.sinks {
            call_sink(kind.name(), || sink.record(&event));
        }
    }

    /// Waits until all sinks have put what they recorded where it belongs.
    pub(crate) async fn flush(&self) {
        for sink in &self.sinks {
            sink.flush().await;
        }
    }
}

/// Calls a sink, which may be one that panics, also while a request unwinds, where a second panic would end the process.
pub(super) fn call_sink(call_name: &'static str, call: impl FnOnce()) {
    if caught(call).is_none() {
        tracing::error!(target: "sessionkit", event = "sink_panicked", call = call_name, "event sink panicked");
    }
}
