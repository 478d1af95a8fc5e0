//! Who is told of events.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::{About, EventKind, SessionEvent, kind};
use crate::time::Clock;

/// Takes what happens to sessions, for a log, for metrics, for an audit trail.
///
/// [`SessionManager::with_event_sink`](crate::SessionManager::with_event_sink) adds one. It is called in the task of the
/// request, so it must neither wait nor take long; a sink that panics is reported and does the request no harm.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use sessionkit_core::{EventKind, EventSink, MemoryStore, SessionConfig, SessionEvent, SessionManager};
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
/// let manager = SessionManager::new(MemoryStore::new(), SessionConfig::default()).with_event_sink(CountLogins);
/// # let _ = manager;
/// ```
pub trait EventSink: Send + Sync + 'static {
    /// Takes an event.
    fn record(&self, event: &SessionEvent<'_>);
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
    layer: &'static str,
}

impl Events {
    pub(crate) fn new(sinks: Vec<Arc<dyn EventSink>>, clock: Arc<dyn Clock>, layer: &'static str) -> Self {
        Self { sinks, clock, layer }
    }

    /// Tells all sinks.
    pub(crate) fn record(&self, kind: EventKind<'_>, about: About<'_>) {
        let event = SessionEvent { kind, at: self.clock.now(), layer: self.layer, about };
        for sink in &self.sinks {
            // Also while a request unwinds, where a second panic would end the process.
            if catch_unwind(AssertUnwindSafe(|| sink.record(&event))).is_err() {
                tracing::error!(target: "sessionkit", event = "sink_panicked", kind = event.kind().name(), "event sink panicked");
            }
        }
    }
}
