//! The duration of store calls, for the sinks that ask for it.

use std::future::ready;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::sink::{EventSink, call_sink};
use crate::devices::{DeviceEntry, DeviceIndex, DeviceSelection, Registered, Registration, StoreFuture};
use crate::record::Record;
use crate::record::delta::Delta;
use crate::record::header::Generation;
use crate::store::notices::Notices;
use crate::store::{CommitOutcome, CreateOutcome, DynStore, StoreError, StoreErrorKind};
use crate::time::Timestamp;
use crate::token::SessionId;

/// A call to the store that has ended, as an [`EventSink`] gets it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct StoreCall {
    /// The name of the session scope.
    pub scope: &'static str,
    /// Which: `load`, `create`, `commit` or `destroy`; of the [`DeviceIndex`] `register`, `confirm`, `entries`, `end`,
    /// `forget`, `prune` or `users`.
    pub operation: &'static str,
    /// The outcome: `found` or `none`, `created` or `taken`, `committed`, `conflict`, `stale` or `gone`, `existed` or
    /// `none`; of the index `entered`, `full` or `ended`, `confirmed` or `ended`, `found` or `none`, `ended` or `none`,
    /// `forgotten`, `pruned`. If it failed, `unavailable`, `unknown` or `corrupt`; `abandoned` if nobody waited for the
    /// answer any more, because its deadline was over or its client had left.
    pub outcome: &'static str,
    /// The duration.
    pub took: Duration,
}

/// A store whose calls are timed for a sink.
pub(super) struct Timed {
    store: Arc<dyn DynStore>,
    sink: Arc<dyn EventSink>,
    scope: &'static str,
}

impl Timed {
    pub(super) fn new(store: Arc<dyn DynStore>, sink: Arc<dyn EventSink>, scope: &'static str) -> Self {
        Self { store, sink, scope }
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
        self.store.device_index().map(|_| self as &dyn DeviceIndex)
    }

    fn notices(&self) -> Option<&Notices> {
        self.store.notices()
    }
}

impl Timed {
    /// A call of the store's index, which is there for whoever was given this one.
    fn indexed<'a, T: Send + 'a>(
        &'a self,
        call: impl FnOnce(&'a dyn DeviceIndex) -> StoreFuture<'a, T>,
    ) -> StoreFuture<'a, T> {
        match self.store.device_index() {
            Some(index) => call(index),
            None => Box::pin(ready(Err(StoreError::unavailable("the store has no index of devices any more")))),
        }
    }
}

impl DeviceIndex for Timed {
    fn register<'a>(&'a self, user: &'a str, login: Registration) -> StoreFuture<'a, Registered> {
        let call = self.indexed(|index| index.register(user, login));
        self.time("register", call, |registered| match registered {
            Registered::Entered(_) => "entered",
            Registered::Full => "full",
            Registered::Ended => "ended",
        })
    }

    fn confirm<'a>(
        &'a self,
        user: &'a str,
        id: SessionId,
        ended: &'a [SessionId],
        now: Timestamp,
    ) -> StoreFuture<'a, bool> {
        let call = self.indexed(|index| index.confirm(user, id, ended, now));
        self.time("confirm", call, |confirmed| if *confirmed { "confirmed" } else { "ended" })
    }

    fn entries<'a>(&'a self, user: &'a str, now: Timestamp) -> StoreFuture<'a, Vec<DeviceEntry>> {
        let call = self.indexed(|index| index.entries(user, now));
        self.time("entries", call, |entries| if entries.is_empty() { "none" } else { "found" })
    }

    fn end<'a>(&'a self, user: &'a str, meant: DeviceSelection, now: Timestamp) -> StoreFuture<'a, Vec<SessionId>> {
        let call = self.indexed(|index| index.end(user, meant, now));
        self.time("end", call, |ended| if ended.is_empty() { "none" } else { "ended" })
    }

    fn forget<'a>(&'a self, user: &'a str, ids: &'a [SessionId]) -> StoreFuture<'a, ()> {
        let call = self.indexed(|index| index.forget(user, ids));
        self.time("forget", call, |()| "forgotten")
    }

    fn prune<'a>(&'a self, user: &'a str, seen: &'a [DeviceEntry]) -> StoreFuture<'a, ()> {
        let call = self.indexed(|index| index.prune(user, seen));
        self.time("prune", call, |()| "pruned")
    }

    fn users<'a>(&'a self, prefix: &'a str) -> StoreFuture<'a, Vec<String>> {
        let call = self.indexed(|index| index.users(prefix));
        self.time("users", call, |users| if users.is_empty() { "none" } else { "found" })
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
        let call = StoreCall { scope: timed.scope, operation, outcome, took: begun.elapsed() };
        call_sink("store call", || timed.sink.record_store_call(&call));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::SessionEvent;
    use crate::store::memory::MemoryStore;

    struct Nowhere;

    impl EventSink for Nowhere {
        fn record(&self, _: &SessionEvent<'_>) {}
    }

    #[test]
    fn a_store_that_is_timed_has_what_it_had() {
        let timed = Timed::new(Arc::new(MemoryStore::new()), Arc::new(Nowhere), "Main");
        assert!(timed.notices().is_some() && timed.device_index().is_some());
    }
}
