//! A store whose type the manager does not name.

use std::future::Future;
use std::pin::Pin;

use crate::record::front::{EntryKind, Generation, Revision};
use crate::store::entry::Entry;
use crate::store::error::StoreError;
use crate::store::key::EntryKey;
use crate::store::notices::Notices;
use crate::store::stats::StoreStats;
use crate::store::{InsertOutcome, RemoveOutcome, ReplaceOutcome, ScanCursor, ScanPage, Store};
use crate::token::SessionId;

/// The future of a call to a store.
pub(crate) type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

pub(crate) trait DynStore: Send + Sync + 'static {
    fn load<'a>(&'a self, key: &'a EntryKey) -> StoreFuture<'a, Option<Entry>>;
    fn insert<'a>(&'a self, key: &'a EntryKey, entry: &'a Entry) -> StoreFuture<'a, InsertOutcome>;
    fn replace<'a>(&'a self, key: &'a EntryKey, held: Revision, entry: &'a Entry) -> StoreFuture<'a, ReplaceOutcome>;
    fn remove<'a>(&'a self, key: &'a EntryKey, held: Generation) -> StoreFuture<'a, RemoveOutcome>;
    fn scan<'a>(&'a self, kind: EntryKind, after: Option<&'a ScanCursor>, limit: usize) -> StoreFuture<'a, ScanPage>;
    fn load_many<'a>(&'a self, keys: &'a [EntryKey]) -> StoreFuture<'a, Vec<Option<Entry>>>;
    fn sweep(&self, limit: usize) -> StoreFuture<'_, usize>;
    fn stats(&self) -> StoreFuture<'_, StoreStats>;
    fn notices(&self) -> Option<&Notices>;
    fn announce(&self, id: SessionId);
}

impl<S: Store> DynStore for S {
    fn load<'a>(&'a self, key: &'a EntryKey) -> StoreFuture<'a, Option<Entry>> {
        Box::pin(Store::load(self, key))
    }

    fn insert<'a>(&'a self, key: &'a EntryKey, entry: &'a Entry) -> StoreFuture<'a, InsertOutcome> {
        Box::pin(Store::insert(self, key, entry))
    }

    fn replace<'a>(&'a self, key: &'a EntryKey, held: Revision, entry: &'a Entry) -> StoreFuture<'a, ReplaceOutcome> {
        Box::pin(Store::replace(self, key, held, entry))
    }

    fn remove<'a>(&'a self, key: &'a EntryKey, held: Generation) -> StoreFuture<'a, RemoveOutcome> {
        Box::pin(Store::remove(self, key, held))
    }

    fn scan<'a>(&'a self, kind: EntryKind, after: Option<&'a ScanCursor>, limit: usize) -> StoreFuture<'a, ScanPage> {
        Box::pin(Store::scan(self, kind, after, limit))
    }

    fn load_many<'a>(&'a self, keys: &'a [EntryKey]) -> StoreFuture<'a, Vec<Option<Entry>>> {
        Box::pin(Store::load_many(self, keys))
    }

    fn sweep(&self, limit: usize) -> StoreFuture<'_, usize> {
        Box::pin(Store::sweep(self, limit))
    }

    fn stats(&self) -> StoreFuture<'_, StoreStats> {
        Box::pin(Store::stats(self))
    }

    fn notices(&self) -> Option<&Notices> {
        Store::notices(self)
    }

    fn announce(&self, id: SessionId) {
        Store::announce(self, id);
    }
}
