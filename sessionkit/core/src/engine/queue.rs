//! Requests of this process that change one document at once: one driver commits for all who wait.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::engine::document::Document;
use crate::engine::waiter::Waiter;
use crate::store::key::EntryKey;

/// The queues of the documents over which requests have met a conflict.
pub(crate) struct Queues<D> {
    queues: Mutex<HashMap<EntryKey, Queue<D>>>,
    /// The number of queues. While it is 0, a request that looks for one does not take the lock.
    count: AtomicUsize,
}

/// The requests that wait to change one document.
pub(super) struct Queue<D> {
    pub(super) waiting: Vec<Arc<Waiter<D>>>,
    /// The newest document that one of them knows.
    pub(super) newest: Option<D>,
}

impl<D> Default for Queues<D> {
    fn default() -> Self {
        Self { queues: Mutex::default(), count: AtomicUsize::new(0) }
    }
}

impl<D: Document> Queues<D> {
    /// Returns whether requests wait to change this document.
    pub(super) fn has(&self, key: &EntryKey) -> bool {
        self.count.load(Ordering::Acquire) > 0 && self.lock().contains_key(key)
    }

    /// Joins the queue of a document, which `newest` is as far as the request knows. Returns `true` if that began the queue:
    /// then it needs a driver.
    pub(super) fn join(&self, key: EntryKey, waiter: Arc<Waiter<D>>, newest: Option<D>) -> bool {
        let mut queues = self.lock();
        let begins = match queues.entry(key) {
            Entry::Occupied(queue) => {
                let queue = queue.into_mut();
                queue.waiting.push(waiter);
                let is_newer = newest.as_ref().is_some_and(|newest| newest.is_newer_than(queue.newest.as_ref()));
                if is_newer {
                    queue.newest = newest;
                }
                false
            }
            Entry::Vacant(place) => {
                place.insert(Queue { waiting: vec![waiter], newest });
                true
            }
        };
        self.count.store(queues.len(), Ordering::Release);
        begins
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<EntryKey, Queue<D>>> {
        // Nothing that is done under this lock can panic half-way.
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to commit for those who wait in a queue. If it is dropped before the queue is empty, they need another driver.
pub(super) struct Turn<'a, D: Document> {
    queues: &'a Queues<D>,
    key: EntryKey,
    has_ended: bool,
}

impl<'a, D: Document> Turn<'a, D> {
    /// Takes the queue that a [`join`](Queues::join) has begun.
    pub(super) fn new(queues: &'a Queues<D>, key: EntryKey) -> Self {
        Self { queues, key, has_ended: false }
    }

    /// Takes all who wait, and the newest document that they know; `None` if nobody does, and the queue is gone.
    pub(super) fn next(&mut self) -> Option<Queue<D>> {
        let mut queues = self.queues.lock();
        let queue = queues.get_mut(&self.key)?;
        if !queue.waiting.is_empty() {
            return Some(Queue { waiting: std::mem::take(&mut queue.waiting), newest: queue.newest.take() });
        }
        self.has_ended = true;
        let gone = queues.remove(&self.key);
        self.queues.count.store(queues.len(), Ordering::Release);
        drop((queues, gone));
        None
    }

    /// Puts back those who wait longer, in front of those who came meanwhile.
    pub(super) fn put_back(&self, waiters: impl IntoIterator<Item = Arc<Waiter<D>>>) {
        if let Some(queue) = self.queues.lock().get_mut(&self.key) {
            queue.waiting.splice(0..0, waiters);
        }
    }
}

impl<D: Document> Drop for Turn<'_, D> {
    fn drop(&mut self) {
        if self.has_ended {
            return;
        }
        let mut queues = self.queues.lock();
        let orphaned = queues.remove(&self.key);
        self.queues.count.store(queues.len(), Ordering::Release);
        drop(queues);
        orphaned.into_iter().flat_map(|queue| queue.waiting).for_each(|waiter| waiter.leave_alone());
    }
}
