//! One who waits for the outcome of a change: what is known of it, and when it is given up.

use std::future::Future as _;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::engine::commit::CommitError;
use crate::engine::deadline::timer_until;
use crate::engine::document::{Change, Document};
use crate::error::SessionError;
use crate::record::front::{History, Revision};
use crate::store::error::StoreError;

/// A request that waits for what comes of its change.
pub(super) struct Waiter<D> {
    pub(super) change: Arc<dyn Change<D>>,
    /// The time at which it gives up.
    pub(super) end: Instant,
    state: Mutex<State<D>>,
    known: Mutex<Known>,
    told: Notify,
}

/// The knowledge that a waiter has of the document.
struct Known {
    /// The last revision that its request has seen; the first of all if there was no document.
    seen: Revision,
    /// The revisions under which the change was sent, if the answers were lost.
    lost: Vec<Revision>,
}

enum State<D> {
    Waiting,
    /// The driver of its queue was cut off.
    Alone,
    /// The change is in a call to the store until then: what comes of it has to be awaited.
    InCall(Instant),
    Done(Option<Result<D, CommitError>>),
}

impl<D: Document> Waiter<D> {
    /// Makes the waiter of a request that has seen this document.
    pub(super) fn new(change: Arc<dyn Change<D>>, end: Instant, seen: Option<&D>) -> Arc<Self> {
        let seen = seen.map(|seen| seen.history().revision).unwrap_or_default();
        let known = Mutex::new(Known { seen, lost: Vec::new() });
        Arc::new(Self { change, end, state: Mutex::new(State::Waiting), known, told: Notify::new() })
    }

    /// Puts the change into a call that ends in time; `false` if its request has given up.
    pub(super) fn begin_call(&self, end: Instant) -> bool {
        let mut state = lock(&self.state);
        let begins = !matches!(*state, State::Done(_));
        if begins {
            *state = State::InCall(end);
        }
        begins
    }

    /// Takes note of a document that the change has met and is not in. The revision under which it was sent is kept if the
    /// answer was lost: the call may have been done, or come in yet.
    pub(super) fn meets(&self, history: &History, lost: Option<Revision>) {
        let mut known = lock(&self.known);
        known.seen = history.revision;
        known.lost.extend(lost);
        known.lost.retain(|revision| history.revision.writes_since(*revision) < 0 || history.forgets(*revision));
    }

    /// Returns whether the request has seen something that is not there any more, since the store went back to this.
    pub(super) fn has_seen_more_than(&self, history: &History) -> bool {
        history.revision.writes_since(lock(&self.known).seen) < 0
    }

    /// Returns whether the change is in a document with this history: a call came in whose answer was lost.
    pub(super) fn is_in(&self, history: &History) -> bool {
        lock(&self.known).lost.iter().any(|revision| history.includes(*revision))
    }

    /// Returns whether the change may be in a document with this history, which remembers too little to tell.
    pub(super) fn may_be_in(&self, history: &History) -> bool {
        lock(&self.known).lost.iter().any(|revision| history.forgets(*revision))
    }

    /// Returns whether the change was sent under this revision alone, as far as it may have been stored.
    pub(super) fn was_sent_once(&self, revision: Revision) -> bool {
        lock(&self.known).lost == [revision]
    }

    /// Takes the change out of a call that did not store it.
    pub(super) fn end_call(&self) {
        let mut state = lock(&self.state);
        if let State::InCall(_) = *state {
            *state = State::Waiting;
        }
    }

    pub(super) fn finish(&self, result: Result<D, CommitError>) {
        let mut state = lock(&self.state);
        if !matches!(*state, State::Done(_)) {
            *state = State::Done(Some(result));
            self.told.notify_one();
        }
    }

    pub(super) fn is_done(&self) -> bool {
        matches!(*lock(&self.state), State::Done(_))
    }

    /// Takes what came of the change, if that is known.
    pub(super) fn take(&self) -> Option<Result<D, CommitError>> {
        match &mut *lock(&self.state) {
            State::Done(result) => result.take(),
            _ => None,
        }
    }

    /// Waits until it is known what came of the change, or the driver of its queue was cut off. Gives up at the deadline, and
    /// `margin` after the end of a call in which the change is then.
    pub(super) async fn wait(&self, margin: Duration) {
        let mut end = self.end;
        while self.waits() {
            let (mut told, mut timer) = (pin!(self.told.notified()), timer_until(end));
            let is_late = std::future::poll_fn(|context| {
                if told.as_mut().poll(context).is_ready() {
                    return Poll::Ready(false);
                }
                timer.as_mut().poll(context).map(|()| true)
            })
            .await;
            if is_late {
                self.give_up_in_time();
                match self.call_ends().map(|call_ends| call_ends + margin) {
                    Some(late) if Instant::now() >= late => self.abandon(),
                    Some(late) => end = late,
                    None => {}
                }
            }
        }
    }

    /// Returns whether a driver has the change and has not finished it.
    fn waits(&self) -> bool {
        matches!(*lock(&self.state), State::Waiting | State::InCall(_))
    }

    /// Takes its place in a queue.
    pub(super) fn queue_up(&self) {
        let mut state = lock(&self.state);
        if let State::Alone = *state {
            *state = State::Waiting;
        }
    }

    /// Lets it find another driver for its queue.
    pub(super) fn leave_alone(&self) {
        let mut state = lock(&self.state);
        if !matches!(*state, State::Done(_)) {
            *state = State::Alone;
            self.told.notify_one();
        }
    }

    /// Gives up if its deadline has come, unless the change is in a call.
    pub(super) fn give_up_in_time(&self) {
        if Instant::now() < self.end {
            return;
        }
        let waits = matches!(*lock(&self.state), State::Waiting);
        if waits && lock(&self.known).lost.is_empty() {
            self.finish(Err(CommitError::Failed(SessionError::unsettled())));
        } else if waits {
            let unknown = StoreError::unknown("an answer was lost, and nothing shows what came of it");
            self.finish(Err(CommitError::Failed(unknown.into())));
        }
    }

    /// Returns when the call ends in which the change is, if it is in one.
    fn call_ends(&self) -> Option<Instant> {
        match *lock(&self.state) {
            State::InCall(end) => Some(end),
            _ => None,
        }
    }

    /// Gives up whatever the driver of the queue does: its thread is blocked, so nobody takes the answer.
    fn abandon(&self) {
        let stuck = StoreError::unknown("the thread that committed for this request is stuck: do not block it");
        self.finish(Err(CommitError::Failed(stuck.into())));
    }
}

/// The changes that are committed together. If it is dropped before they are done, nobody knows what came of them.
pub(super) struct Hand<D: Document>(pub(super) Vec<Arc<Waiter<D>>>);

impl<D: Document> Hand<D> {
    /// Returns when the last of them gives up.
    pub(super) fn end(&self) -> Option<Instant> {
        self.0.iter().map(|waiter| waiter.end).max()
    }

    /// Tells all that it is done, or failed.
    pub(super) fn finish(&mut self, result: Result<D, CommitError>) {
        let mut waiters = self.0.drain(..);
        if let Some(last) = waiters.next_back() {
            waiters.for_each(|waiter| waiter.finish(result.clone()));
            last.finish(result);
        }
    }
}

impl<D: Document> Drop for Hand<D> {
    fn drop(&mut self) {
        if !self.0.is_empty() {
            let lost = StoreError::unknown("the runtime that committed for this request has ended");
            self.finish(Err(CommitError::Failed(lost.into())));
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that is done under these locks can panic half-way.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
