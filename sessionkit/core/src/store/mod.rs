//! The contract between the engine and a store: a map from keys to bytes with compare-and-swap.
//!
//! Here stands what a store promises, [`MemoryStore`](memory::MemoryStore), and the notices that tell of ended sessions.
//! A store knows nothing of fields, merging, generations or deadlines: nothing of that may enter.

use std::future::Future;

use crate::record::front::{EntryKind, Generation, Revision};
use crate::store::entry::Entry;
use crate::store::error::StoreError;
use crate::store::key::EntryKey;
use crate::store::notices::Notices;
use crate::store::stats::StoreStats;
use crate::token::SessionId;

pub(crate) mod any;
pub(crate) mod dynamic;
pub(crate) mod entry;
pub(crate) mod error;
mod failure;
pub(crate) mod key;
pub(crate) mod memory;
pub(crate) mod notices;
pub(crate) mod stats;

/// Keeps entries: a map from keys to bytes, each of whose operations is atomic.
///
/// There is no blind write: an entry comes into being with [`insert`](Self::insert), changes with
/// [`replace`](Self::replace), which compares its revision, and goes with [`remove`](Self::remove), which compares its
/// generation. Both stand at fixed places in the bytes of every entry: [`Revision::RANGE`] and [`Generation::RANGE`].
///
/// A store's own clock only reclaims space: it may forget an entry [`Entry::reclaim_in`] after the entry was last
/// written, never earlier. Whether a session has expired is for the engine to decide. The feature `testing` has the
/// suite that a store must pass, `store_suite!`; the guide of `sessionkit` explains the contract, and has a complete store.
pub trait Store: Send + Sync + 'static {
    /// Returns the newest entry under a key, or `None` if there is none. Never answers from a replica that may be behind.
    ///
    /// # Errors
    /// Fails when the store cannot tell.
    fn load(&self, key: &EntryKey) -> impl Future<Output = Result<Option<Entry>, StoreError>> + Send;

    /// Stores an entry under a key that has none.
    ///
    /// # Errors
    /// Fails when the entry was not stored, or may not have been.
    fn insert(&self, key: &EntryKey, entry: &Entry) -> impl Future<Output = Result<InsertOutcome, StoreError>> + Send;

    /// Stores an entry in the place of the one that has the revision `held`; under [`Revision::default`], which no whole
    /// entry has, in the place of one that is too short to have any.
    ///
    /// # Errors
    /// Fails when the entry was not stored, or may not have been.
    fn replace(
        &self,
        key: &EntryKey,
        held: Revision,
        entry: &Entry,
    ) -> impl Future<Output = Result<ReplaceOutcome, StoreError>> + Send;

    /// Removes the entry if it has the generation `held`, or if it is too short to have any.
    ///
    /// # Errors
    /// Fails when the entry was not removed, or may not have been.
    fn remove(
        &self,
        key: &EntryKey,
        held: Generation,
    ) -> impl Future<Output = Result<RemoveOutcome, StoreError>> + Send;

    /// Returns some of the entries of a kind, and where to go on: for operators, for sweeping, and to end everyone's
    /// sessions. `limit` is about how many.
    ///
    /// All pages together have each key at least once that is there from the first call to the last, replaced meanwhile
    /// or not. They may have it more than once, and keys that came or went meanwhile.
    ///
    /// # Errors
    /// Fails when the store cannot tell. By default it cannot scan, which is an error of the kind
    /// [`Unsupported`](crate::StoreErrorKind::Unsupported), never an empty page.
    fn scan(
        &self,
        kind: EntryKind,
        after: Option<&ScanCursor>,
        limit: usize,
    ) -> impl Future<Output = Result<ScanPage, StoreError>> + Send {
        let _ = (kind, after, limit);
        std::future::ready(Err(StoreError::unsupported("this store cannot list what it holds")))
    }

    /// Returns the newest entries under several keys, in their order. By default loads one after the other.
    ///
    /// # Errors
    /// Fails when the store cannot tell.
    fn load_many(&self, keys: &[EntryKey]) -> impl Future<Output = Result<Vec<Option<Entry>>, StoreError>> + Send {
        async move {
            let mut entries = Vec::with_capacity(keys.len());
            for key in keys {
                entries.push(self.load(key).await?);
            }
            Ok(entries)
        }
    }

    /// Removes about `limit` of the entries that may be forgotten, and returns how many it removed: 0 when none is left.
    ///
    /// By default there is nothing to do: a store that forgets by itself, as Redis does, need not be swept.
    ///
    /// # Errors
    /// Fails when the store cannot tell. What was removed before stays removed.
    fn sweep(&self, limit: usize) -> impl Future<Output = Result<usize, StoreError>> + Send {
        let _ = limit;
        std::future::ready(Ok(0))
    }

    /// Returns the contents of the store in figures, for operators.
    ///
    /// # Errors
    /// Fails when the store cannot tell. By default it cannot, which is an error of the kind
    /// [`Unsupported`](crate::StoreErrorKind::Unsupported).
    fn stats(&self) -> impl Future<Output = Result<StoreStats, StoreError>> + Send {
        std::future::ready(Err(StoreError::unsupported("this store does not count what it holds")))
    }

    /// Returns the notices of ended sessions, if the store passes them on between processes. Called by a handle that begins
    /// to watch a session. None by default.
    fn notices(&self) -> Option<&Notices> {
        None
    }

    /// Tells the other processes that a session ended or was rotated: a hint, sent beside the calls and awaited by
    /// nobody. By default only those are told who watch [`notices`](Self::notices) in this process.
    fn announce(&self, id: SessionId) {
        if let Some(notices) = self.notices() {
            notices.tell(id);
        }
    }
}

/// The outcome of [`Store::insert`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum InsertOutcome {
    /// The entry is stored.
    Inserted,
    /// Nothing was stored: the key has an entry.
    Taken,
}

/// The outcome of [`Store::replace`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ReplaceOutcome {
    /// The entry is stored.
    Replaced,
    /// Nothing was stored: the entry has another revision. Here it is as it is now.
    Changed(Entry),
    /// Nothing was stored: the key has no entry.
    Absent,
}

/// The outcome of [`Store::remove`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RemoveOutcome {
    /// The entry is gone.
    Removed,
    /// Nothing was removed: the entry has another generation. Here it is as it is now.
    Changed(Entry),
    /// There was nothing to remove.
    Absent,
}

/// Some of the entries of a store, from [`Store::scan`].
#[derive(Clone, Debug, Default)]
pub struct ScanPage {
    /// The entries, in no particular order.
    pub entries: Vec<(EntryKey, Entry)>,
    /// The place to go on at; `None` at the end.
    pub next: Option<ScanCursor>,
}

/// The place where a scan goes on. Only the store that made it can read it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ScanCursor(Vec<u8>);

impl ScanCursor {
    /// Makes a cursor from what the store needs to go on.
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// Returns what the store needs to go on.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl<S: Store> Store for std::sync::Arc<S> {
    async fn load(&self, key: &EntryKey) -> Result<Option<Entry>, StoreError> {
        S::load(self, key).await
    }

    async fn insert(&self, key: &EntryKey, entry: &Entry) -> Result<InsertOutcome, StoreError> {
        S::insert(self, key, entry).await
    }

    async fn replace(&self, key: &EntryKey, held: Revision, entry: &Entry) -> Result<ReplaceOutcome, StoreError> {
        S::replace(self, key, held, entry).await
    }

    async fn remove(&self, key: &EntryKey, held: Generation) -> Result<RemoveOutcome, StoreError> {
        S::remove(self, key, held).await
    }

    async fn scan(&self, kind: EntryKind, after: Option<&ScanCursor>, limit: usize) -> Result<ScanPage, StoreError> {
        S::scan(self, kind, after, limit).await
    }

    async fn load_many(&self, keys: &[EntryKey]) -> Result<Vec<Option<Entry>>, StoreError> {
        S::load_many(self, keys).await
    }

    async fn sweep(&self, limit: usize) -> Result<usize, StoreError> {
        S::sweep(self, limit).await
    }

    async fn stats(&self) -> Result<StoreStats, StoreError> {
        S::stats(self).await
    }

    fn notices(&self) -> Option<&Notices> {
        S::notices(self)
    }

    fn announce(&self, id: SessionId) {
        S::announce(self, id);
    }
}
