//! Requests of this process that change one document at once: the head of the queue commits for all who wait.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::engine::document::{Change, Document};
use crate::error::SessionError;
use crate::record::front::{History, Revision};
use crate::store::error::StoreError;
use crate::store::key::EntryKey;

use super::commit::CommitError;

/// The queues of the documents over which requests have met a conflict.
pub(crate) struct Queues<D> {
    queues: Mutex<HashMap<EntryKey, Arc<Queue<D>>>>,
    /// The number of queues. While it is 0, a request that looks for one does not take the lock.
    count: AtomicUsize,
}

/// Those who wait to change one document.
pub(super) struct Queue<D> {
    waiting: Mutex<Vec<Arc<Waiter<D>>>>,
    /// Held by the head of the queue; the newest document that it knows.
    pub(super) turn: tokio::sync::Mutex<Option<D>>,
    /// The number of requests in this queue. It changes under the lock of the queues.
    members: AtomicUsize,
}

impl<D> Queues<D> {
    /// Returns whether requests wait to change this document.
    pub(super) fn has(&self, key: &EntryKey) -> bool {
        self.count.load(Ordering::Acquire) > 0 && lock(&self.queues).contains_key(key)
    }

    /// Joins the queue, until the membership is dropped.
    pub(super) fn join(&self, key: EntryKey) -> Membership<'_, D> {
        let mut queues = lock(&self.queues);
        let queue = queues.entry(key).or_default().clone();
        queue.members.fetch_add(1, Ordering::AcqRel);
        self.count.store(queues.len(), Ordering::Release);
        Membership { queues: self, key, queue }
    }
}

impl<D> Default for Queues<D> {
    fn default() -> Self {
        Self { queues: Mutex::default(), count: AtomicUsize::new(0) }
    }
}

impl<D> Default for Queue<D> {
    fn default() -> Self {
        Self { waiting: Mutex::default(), turn: tokio::sync::Mutex::default(), members: AtomicUsize::new(0) }
    }
}

impl<D> Queue<D> {
    pub(super) fn wait_in(&self, waiter: Arc<Waiter<D>>) {
        lock(&self.waiting).push(waiter);
    }

    /// Puts back those who wait longer, in front of those who came meanwhile.
    pub(super) fn put_back(&self, waiters: impl IntoIterator<Item = Arc<Waiter<D>>>) {
        lock(&self.waiting).splice(0..0, waiters);
    }

    pub(super) fn take_waiting(&self) -> Vec<Arc<Waiter<D>>> {
        std::mem::take(&mut *lock(&self.waiting))
    }
}

/// A place in a queue. The queue goes with the last one.
pub(super) struct Membership<'a, D> {
    queues: &'a Queues<D>,
    key: EntryKey,
    pub(super) queue: Arc<Queue<D>>,
}

impl<D> Drop for Membership<'_, D> {
    fn drop(&mut self) {
        let mut queues = lock(&self.queues.queues);
        if self.queue.members.fetch_sub(1, Ordering::AcqRel) == 1 {
            queues.remove(&self.key);
        }
        self.queues.count.store(queues.len(), Ordering::Release);
    }
}

/// A request that waits for what comes of its change.
pub(super) struct Waiter<D> {
    pub(super) change: Arc<dyn Change<D>>,
    /// The time at which it gives up.
    pub(super) end: Instant,
    state: Mutex<State<D>>,
    known: Mutex<Known>,
    done: Notify,
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
    /// The change is in a call to the store until then: what comes of it has to be awaited.
    InCall(Instant),
    Done(Option<Result<D, CommitError>>),
}

impl<D: Document> Waiter<D> {
    /// Makes the waiter of a request that has seen this document.
    pub(super) fn new(change: Arc<dyn Change<D>>, end: Instant, seen: Option<&D>) -> Arc<Self> {
        let seen = seen.map(|seen| seen.history().revision).unwrap_or_default();
        let known = Mutex::new(Known { seen, lost: Vec::new() });
        Arc::new(Self { change, end, state: Mutex::new(State::Waiting), known, done: Notify::new() })
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
            self.done.notify_one();
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

    /// Waits until it is known what came of the change.
    pub(super) async fn wait(&self) {
        while !self.is_done() {
            self.done.notified().await;
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
    pub(super) fn call_ends(&self) -> Option<Instant> {
        match *lock(&self.state) {
            State::InCall(end) => Some(end),
            _ => None,
        }
    }

    /// Gives up whatever the head of the queue does: it is not polled any more, so nobody takes the answer.
    pub(super) fn abandon(&self) {
        let stuck = StoreError::unknown("the request that committed for this one is stuck: do not block its thread");
        self.finish(Err(CommitError::Failed(stuck.into())));
    }
}

/// The changes that the head of a queue commits. If it is dropped before they are done, nobody knows what came of them.
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
            let lost = StoreError::unknown("the request that committed for this one was cut off");
            self.finish(Err(CommitError::Failed(lost.into())));
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that is done under these locks can panic half-way.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
