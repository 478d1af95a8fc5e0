//! Sessions in figures, through the facade `metrics`.

use crate::{EventSink, SessionEvent, StoreCall};

/// The number of events.
const EVENTS: &str = "sessionkit_events_total";

/// The duration of store calls.
const STORE_CALLS: &str = "sessionkit_store_call_seconds";

/// Counts events and times calls of the store, with the recorder that the application installed for the crate
/// [`metrics`](https://docs.rs/metrics), Prometheus for example.
///
/// | metric | kind | labels |
/// |---|---|---|
/// | `sessionkit_events_total` | counter | `event`, `reason` (empty where there is none), `scope` |
/// | `sessionkit_store_call_seconds` | histogram | `operation`, `outcome`, `scope` |
///
/// The values of `event` are the names of [`EventKind`](crate::EventKind), those of `operation` and `outcome` stand at
/// [`StoreCall`]. Every label has few values: no session, no user and no path is one.
///
/// ```
/// use sessionkit::{MemoryStore, MetricsSink, SessionManager};
///
/// // After the application has installed its recorder.
/// let manager = SessionManager::builder(MemoryStore::new()).event_sink(MetricsSink::new()).build();
/// # let _ = manager;
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct MetricsSink;

impl MetricsSink {
    /// Makes a sink, and describes its metrics to the recorder.
    pub fn new() -> Self {
        metrics::describe_counter!(EVENTS, "What happened to sessions.");
        metrics::describe_histogram!(STORE_CALLS, metrics::Unit::Seconds, "How long calls of the session store took.");
        Self
    }
}

impl EventSink for MetricsSink {
    fn record(&self, event: &SessionEvent<'_>) {
        let (kind, scope) = (event.kind(), event.scope());
        let reason = kind.reason().unwrap_or_default();
        metrics::counter!(EVENTS, "event" => kind.name(), "reason" => reason, "scope" => scope).increment(1);
    }

    fn times_store_calls(&self) -> bool {
        true
    }

    fn record_store_call(&self, call: &StoreCall) {
        let StoreCall { scope, operation, outcome, took, .. } = *call;
        metrics::histogram!(STORE_CALLS, "operation" => operation, "outcome" => outcome, "scope" => scope).record(took);
    }
}
