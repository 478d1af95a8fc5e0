//! Requests of this process that change one document at once: the head of the queue commits for all who wait.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::engine::document::{Change, Document};
use crate::error::SessionError;
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
    done: Notify,
}

enum State<D> {
    Waiting,
    /// The change is in a call to the store: what comes of it has to be awaited.
    InCall,
    Done(Option<Result<D, CommitError>>),
}

impl<D: Document> Waiter<D> {
    pub(super) fn new(change: Arc<dyn Change<D>>, end: Instant) -> Arc<Self> {
        Arc::new(Self { change, end, state: Mutex::new(State::Waiting), done: Notify::new() })
    }

    /// Puts the change into a call; `false` if its request has given up.
    pub(super) fn begin_call(&self) -> bool {
        let mut state = lock(&self.state);
        let begins = !matches!(*state, State::Done(_));
        if begins {
            *state = State::InCall;
        }
        begins
    }

    /// Takes the change out of a call that did not store it.
    pub(super) fn end_call(&self) {
        let mut state = lock(&self.state);
        if let State::InCall = *state {
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
        if waits {
            self.finish(Err(CommitError::Failed(SessionError::unsettled())));
        }
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
