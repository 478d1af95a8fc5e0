//! Stores whose calls go wrong where a test says so.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use sessionkit::store::{
    Entry, EntryKey, EntryKind, Generation, InsertOutcome, RemoveOutcome, ReplaceOutcome, Revision, Store, StoreError,
};

/// What a call to a store comes to that a test meddles with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mishap {
    /// It does not reach the store.
    NotSent,
    /// It reaches the store, and its answer is lost.
    AnswerLost,
}

/// A store that one call of a kind goes wrong with: the one that comes after so many others.
#[derive(Clone, Debug)]
pub(crate) struct UnluckyStore<S> {
    store: S,
    next: Arc<Mutex<Option<(usize, Mishap)>>>,
}

impl<S: Store> UnluckyStore<S> {
    pub(crate) fn new(store: S) -> Self {
        Self { store, next: Arc::default() }
    }

    pub(crate) fn expect(&self, calls_before: usize, mishap: Mishap) {
        *self.next.lock().expect("no holder panics") = Some((calls_before, mishap));
    }

    /// Returns whether what was expected has come.
    pub(crate) fn has_come(&self) -> bool {
        self.next.lock().expect("no holder panics").take().is_none()
    }

    fn mishap(&self) -> Option<Mishap> {
        let mut next = self.next.lock().expect("no holder panics");
        let (calls_before, mishap) = (*next)?;
        *next = calls_before.checked_sub(1).map(|left| (left, mishap));
        next.is_none().then_some(mishap)
    }

    async fn meddle<T>(&self, call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        match self.mishap() {
            None => call.await,
            Some(Mishap::NotSent) => Err(StoreError::unavailable("it was not sent")),
            Some(Mishap::AnswerLost) => {
                let _ = call.await;
                Err(StoreError::unknown("the answer was lost"))
            }
        }
    }
}

impl<S: Store> Store for UnluckyStore<S> {
    async fn load(&self, key: &EntryKey) -> Result<Option<Entry>, StoreError> {
        match self.mishap() {
            None => self.store.load(key).await,
            Some(_) => Err(StoreError::unavailable("no answer")),
        }
    }

    async fn insert(&self, key: &EntryKey, entry: &Entry) -> Result<InsertOutcome, StoreError> {
        self.meddle(self.store.insert(key, entry)).await
    }

    async fn replace(&self, key: &EntryKey, held: Revision, entry: &Entry) -> Result<ReplaceOutcome, StoreError> {
        self.meddle(self.store.replace(key, held, entry)).await
    }

    async fn remove(&self, key: &EntryKey, held: Generation) -> Result<RemoveOutcome, StoreError> {
        self.meddle(self.store.remove(key, held)).await
    }
}

/// A store that loses the answers to all changes of one kind of entry, while a test says so.
#[derive(Clone, Debug)]
pub(crate) struct SilentStore<S> {
    pub(crate) store: S,
    pub(crate) is_silent: Arc<AtomicBool>,
}

impl<S: Store> SilentStore<S> {
    fn answer<T>(&self, key: &EntryKey, answer: Result<T, StoreError>) -> Result<T, StoreError> {
        match self.is_silent.load(Ordering::SeqCst) && key.kind() == EntryKind::Adoption {
            true => Err(StoreError::unknown("the answer was lost")),
            false => answer,
        }
    }
}

impl<S: Store> Store for SilentStore<S> {
    async fn load(&self, key: &EntryKey) -> Result<Option<Entry>, StoreError> {
        self.store.load(key).await
    }

    async fn insert(&self, key: &EntryKey, entry: &Entry) -> Result<InsertOutcome, StoreError> {
        self.store.insert(key, entry).await
    }

    async fn replace(&self, key: &EntryKey, held: Revision, entry: &Entry) -> Result<ReplaceOutcome, StoreError> {
        self.answer(key, self.store.replace(key, held, entry).await)
    }

    async fn remove(&self, key: &EntryKey, held: Generation) -> Result<RemoveOutcome, StoreError> {
        self.store.remove(key, held).await
    }
}
