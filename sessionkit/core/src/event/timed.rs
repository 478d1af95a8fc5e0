//! The duration of store calls, for the sinks that ask for it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::sink::{EventSink, call_sink};
use crate::record::front::{EntryKind, Generation, Revision};
use crate::store::dynamic::{DynStore, StoreFuture};
use crate::store::entry::Entry;
use crate::store::error::StoreErrorKind;
use crate::store::key::EntryKey;
use crate::store::notices::Notices;
use crate::store::stats::StoreStats;
use crate::store::{InsertOutcome, RemoveOutcome, ReplaceOutcome, ScanCursor, ScanPage};
use crate::token::SessionId;

/// A call to the store that has ended, as an [`EventSink`] gets it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct StoreCall {
    /// The name of the session scope.
    pub scope: &'static str,
    /// The call of the [`Store`](crate::Store): `load`, `insert`, `replace`, `remove`, `scan`, `load_many`,
    /// `sweep` or `stats`.
    pub operation: &'static str,
    /// The outcome: `found` or `none`, `inserted` or `taken`, `replaced`, `removed`, `changed` or `absent`; of a sweep `removed` or
    /// `none`. If it failed,
    /// `unavailable`, `unknown`, `corrupt` or `unsupported`; `abandoned` if nobody waited for its answer any more,
    /// because its deadline was over or its client had left.
    pub outcome: &'static str,
    /// The duration.
    pub took: Duration,
}

/// A store whose calls are timed for a sink.
pub(crate) struct Timed {
    store: Arc<dyn DynStore>,
    sink: Arc<dyn EventSink>,
    scope: &'static str,
}

impl Timed {
    pub(crate) fn new(store: Arc<dyn DynStore>, sink: Arc<dyn EventSink>, scope: &'static str) -> Self {
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
    fn load<'a>(&'a self, key: &'a EntryKey) -> StoreFuture<'a, Option<Entry>> {
        self.time("load", self.store.load(key), |entry| if entry.is_some() { "found" } else { "none" })
    }

    fn insert<'a>(&'a self, key: &'a EntryKey, entry: &'a Entry) -> StoreFuture<'a, InsertOutcome> {
        self.time("insert", self.store.insert(key, entry), |outcome| match outcome {
            InsertOutcome::Inserted => "inserted",
            InsertOutcome::Taken => "taken",
        })
    }

    fn replace<'a>(&'a self, key: &'a EntryKey, held: Revision, entry: &'a Entry) -> StoreFuture<'a, ReplaceOutcome> {
        self.time("replace", self.store.replace(key, held, entry), |outcome| match outcome {
            ReplaceOutcome::Replaced => "replaced",
            ReplaceOutcome::Changed(_) => "changed",
            ReplaceOutcome::Absent => "absent",
        })
    }

    fn remove<'a>(&'a self, key: &'a EntryKey, held: Generation) -> StoreFuture<'a, RemoveOutcome> {
        self.time("remove", self.store.remove(key, held), |outcome| match outcome {
            RemoveOutcome::Removed => "removed",
            RemoveOutcome::Changed(_) => "changed",
            RemoveOutcome::Absent => "absent",
        })
    }

    fn scan<'a>(&'a self, kind: EntryKind, after: Option<&'a ScanCursor>, limit: usize) -> StoreFuture<'a, ScanPage> {
        self.time(
            "scan",
            self.store.scan(kind, after, limit),
            |page| if page.entries.is_empty() { "none" } else { "found" },
        )
    }

    fn load_many<'a>(&'a self, keys: &'a [EntryKey]) -> StoreFuture<'a, Vec<Option<Entry>>> {
        self.time("load_many", self.store.load_many(keys), |entries| {
            if entries.iter().all(Option::is_none) { "none" } else { "found" }
        })
    }

    fn sweep(&self, limit: usize) -> StoreFuture<'_, usize> {
        self.time("sweep", self.store.sweep(limit), |removed| if *removed > 0 { "removed" } else { "none" })
    }

    fn stats(&self) -> StoreFuture<'_, StoreStats> {
        self.time("stats", self.store.stats(), |_| "found")
    }

    fn notices(&self) -> Option<&Notices> {
        self.store.notices()
    }

    fn announce(&self, id: SessionId) {
        self.store.announce(id);
    }
}

fn failure(kind: StoreErrorKind) -> &'static str {
    match kind {
        StoreErrorKind::Unavailable => "unavailable",
        StoreErrorKind::Unknown => "unknown",
        StoreErrorKind::Corrupt => "corrupt",
        StoreErrorKind::Unsupported => "unsupported",
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
        assert!(timed.notices().is_some());
    }
}
