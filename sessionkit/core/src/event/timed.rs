//! How long store calls take, for the sinks that want to know.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::sink::{EventSink, tell};
use crate::delta::Delta;
use crate::devices::{DeviceIndex, StoreFuture};
use crate::header::Generation;
use crate::notices::Notices;
use crate::record::Record;
use crate::store::{CommitOutcome, CreateOutcome, DynStore, StoreErrorKind};
use crate::time::Timestamp;
use crate::token::SessionId;

/// A call to the store that has ended, as an [`EventSink`] is told it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct StoreCall {
    /// The name of the session layer.
    pub layer: &'static str,
    /// Which: `load`, `create`, `commit` or `destroy`.
    pub operation: &'static str,
    /// How it ended: `found` or `none`, `created` or `taken`, `committed`, `conflict`, `stale` or `gone`, `existed` or
    /// `none`; where it failed, `unavailable`, `unknown` or `corrupt`; `abandoned` where nobody waited for its answer any
    /// more, because its deadline was over or its client had left.
    pub outcome: &'static str,
    /// How long it took.
    pub took: Duration,
}

/// A store whose calls are timed for a sink.
pub(super) struct Timed {
    store: Arc<dyn DynStore>,
    sink: Arc<dyn EventSink>,
    layer: &'static str,
}

impl Timed {
    pub(super) fn new(store: Arc<dyn DynStore>, sink: Arc<dyn EventSink>, layer: &'static str) -> Self {
        Self { store, sink, layer }
    }

    fn time<'a, T: 'a>(
        &'a self,
        operation: &'static str,
        call: StoreFuture<'a, T>,
        outcome: fn(&T) -> &'static str,
    ) -> StoreFuture<'a, T> {
        Box::pin(async move {
            let mut timer = Timer { timed: self, operation, outcome: "abandoned", begun: Instant::now() };
            let answer = call.await;
            timer.outcome = match &answer {
                Ok(answer) => outcome(answer),
                Err(error) => failure(error.kind()),
            };
            answer
        })
    }
}

impl DynStore for Timed {
    fn load(&self, id: SessionId, now: Timestamp) -> StoreFuture<'_, Option<Record>> {
        self.time("load", self.store.load(id, now), |record| if record.is_some() { "found" } else { "none" })
    }

    fn create<'a>(&'a self, id: SessionId, record: &'a Record, now: Timestamp) -> StoreFuture<'a, CreateOutcome> {
        self.time("create", self.store.create(id, record, now), |outcome| match outcome {
            CreateOutcome::Created => "created",
            CreateOutcome::Taken => "taken",
        })
    }

    fn commit<'a>(
        &'a self,
        id: SessionId,
        generation: Generation,
        delta: &'a Delta,
        now: Timestamp,
    ) -> StoreFuture<'a, CommitOutcome> {
        self.time("commit", self.store.commit(id, generation, delta, now), |outcome| match outcome {
            CommitOutcome::Committed(_) => "committed",
            CommitOutcome::Conflict(_) => "conflict",
            CommitOutcome::Stale => "stale",
            CommitOutcome::Gone => "gone",
        })
    }

    fn destroy(&self, id: SessionId) -> StoreFuture<'_, bool> {
        self.time("destroy", self.store.destroy(id), |existed| if *existed { "existed" } else { "none" })
    }

    fn device_index(&self) -> Option<&dyn DeviceIndex> {
        self.store.device_index()
    }

    fn notices(&self) -> Option<&Notices> {
        self.store.notices()
    }
}

fn failure(kind: StoreErrorKind) -> &'static str {
    match kind {
        StoreErrorKind::Unavailable => "unavailable",
        StoreErrorKind::Unknown => "unknown",
        StoreErrorKind::Corrupt => "corrupt",
    }
}

/// Tells of a call when it is dropped, answered or not.
struct Timer<'a> {
    timed: &'a Timed,
    operation: &'static str,
    outcome: &'static str,
    begun: Instant,
}

impl Drop for Timer<'_> {
    fn drop(&mut self) {
        let Self { timed, operation, outcome, begun } = self;
        let call = StoreCall { layer: timed.layer, operation, outcome, took: begun.elapsed() };
        tell("store call", || timed.sink.record_store_call(&call));
    }
}
