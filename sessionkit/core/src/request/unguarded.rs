//! Routes that no guard decides about, in an application that withholds their answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::SessionError;
use crate::event::EventKind;
use crate::request::RequestSession;
use crate::wire::head::{RequestHead, Route};

/// The mark of a request about which a guard decided, whatever the guard's scope: for adapters. A layer that withholds the
/// answers of unguarded routes puts it among the extensions of the request, unless an outer layer did, and hands a clone to
/// [`withhold_unguarded`](RequestSession::withhold_unguarded). Every guard that finds it there sets it.
#[derive(Clone, Debug, Default)]
pub struct GuardMark(Arc<AtomicBool>);

impl GuardMark {
    /// Sets the mark: a guard decides, or lets everybody pass.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl RequestSession {
    /// Withholds the answer when the request is closed, unless a guard has set the mark by then: for adapters.
    pub fn withhold_unguarded(&self, mark: GuardMark, head: &RequestHead<'_>) {
        self.note(head);
        let _ = self.shared.guard_mark.set(mark);
    }

    pub(crate) fn lacks_guard(&self) -> bool {
        self.shared.guard_mark.get().is_some_and(|mark| !mark.is_set())
    }

    /// Withholds the answer of a route that no guard decided about. If there is no such route, there is nothing to guard.
    pub(crate) fn refuse_unguarded(&self, status: u16) {
        if !self.lacks_guard() || matches!(status, 404 | 405) {
            return;
        }
        self.report(EventKind::Unguarded);
        let dev = self.shared.engine.settings().dev;
        let route = self.shared.route().map(Route::to_string).unwrap_or_default();
        let error = SessionError::unguarded(route, dev);
        error.note_scope(self.shared.engine.scope());
        self.state().failure.get_or_insert(error);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SessionConfig;
    use crate::manager::SessionManager;
    use crate::store::memory::MemoryStore;
    use crate::wire::head::Headers;

    struct NoHeaders;

    impl Headers for NoHeaders {
        fn each<'a>(&'a self, _: &mut dyn FnMut(&'a str, &'a [u8])) {}
    }

    #[tokio::test]
    async fn only_the_answer_of_a_route_is_withheld_and_only_without_a_guard() {
        let manager = SessionManager::new(MemoryStore::new(), SessionConfig::default());
        for guarded in [false, true] {
            for (status, withheld) in [(200, true), (303, true), (401, true), (404, false), (405, false), (406, true)] {
                let (session, mark) = (manager.open(), GuardMark::default());
                session.withhold_unguarded(mark.clone(), &RequestHead::new("GET", "/", &NoHeaders));
                if guarded {
                    mark.set();
                }
                let answer = manager.close(&session, status).await.rejection;
                assert_eq!(answer.map(|answer| answer.status()), (withheld && !guarded).then_some(403), "{status}");
            }
        }
    }
}
