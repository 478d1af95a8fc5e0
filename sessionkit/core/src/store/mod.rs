//! The contract between the engine and a store.

use std::fmt;
use std::future::Future;

use crate::devices::{DeviceIndex, StoreFuture};
use crate::error::Chain;
use crate::record::Record;
use crate::record::delta::Delta;
use crate::record::header::{Generation, Header};
use crate::store::notices::Notices;
use crate::time::Timestamp;
use crate::token::{SecretHash, SessionId};

mod failure;
pub(crate) mod memory;
pub(crate) mod notices;

/// Keeps records, one per session.
///
/// Every call is one atomic operation. There is no blind write: a record comes into being with
/// [`create`](Self::create), changes with [`commit`](Self::commit), which checks the generation, and ends with
/// [`destroy`](Self::destroy) or at its deadline. The store obeys `now`, the clock of the caller; its own clock may
/// reclaim space, never earlier than the deadline. [`testing`](crate::testing) has the suite that a store must pass.
pub trait Store: Send + Sync + 'static {
    /// Loads a record, unless there is none. One that has expired at `now` may come or not: nobody opens it, but where it
    /// comes, its end is known from a token that nobody ever had.
    ///
    /// # Errors
    /// Fails when the store cannot tell.
    fn load(&self, id: SessionId, now: Timestamp) -> impl Future<Output = Result<Option<Record>, StoreError>> + Send;

    /// Stores a new record, unless the id is in use.
    ///
    /// # Errors
    /// Fails when the record was not stored, or may not have been.
    fn create(
        &self,
        id: SessionId,
        record: &Record,
        now: Timestamp,
    ) -> impl Future<Output = Result<CreateOutcome, StoreError>> + Send;

    /// Applies a delta to a live record of this generation: all of it or nothing. [`Record::apply`] is the reference.
    ///
    /// # Errors
    /// Fails when the delta was not applied, or may not have been.
    fn commit(
        &self,
        id: SessionId,
        generation: Generation,
        delta: &Delta,
        now: Timestamp,
    ) -> impl Future<Output = Result<CommitOutcome, StoreError>> + Send;

    /// Ends a session for good; tells whether there was one.
    ///
    /// # Errors
    /// Fails when the session was not ended, or may not have been.
    fn destroy(&self, id: SessionId) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// The index of the sessions of each user, where the store has one. None unless told otherwise.
    fn device_index(&self) -> Option<&dyn DeviceIndex> {
        None
    }

    /// The notices of ended sessions, where the store sends them. Called by whoever begins to watch a session. None unless
    /// told otherwise.
    fn notices(&self) -> Option<&Notices> {
        None
    }
}

/// What [`Store::create`] did.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CreateOutcome {
    /// The record is stored.
    Created,
    /// Nothing was stored: another record has the id.
    Taken,
}

/// What [`Store::commit`] did.
#[derive(Clone, Debug)]
pub enum CommitOutcome {
    /// The delta is applied.
    Committed(Receipt),
    /// Nothing was applied: a field holds another value than the delta expects. Here is the record as it is.
    Conflict(Record),
    /// Nothing was applied: the secret was rotated since the record was loaded.
    Stale,
    /// Nothing was applied: the session has ended.
    Gone,
}

/// The state of a record right after a commit.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Receipt {
    /// The generation.
    pub generation: Generation,
    /// The hash of the current secret.
    pub secret: SecretHash,
    /// When the session ends unless something happens.
    pub deadline: Timestamp,
}

impl Receipt {
    /// Takes the receipt from a header.
    pub fn of(header: &Header) -> Self {
        Self { generation: header.generation, secret: header.secret, deadline: header.deadline() }
    }
}

/// A call to a store failed. It never means that a session does not exist.
pub struct StoreError {
    kind: StoreErrorKind,
    reason: Box<dyn std::error::Error + Send + Sync>,
}

/// What is known after a call to a store failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StoreErrorKind {
    /// Nothing happened.
    Unavailable,
    /// It may have happened.
    Unknown,
    /// Nothing happened, and it will not work later either: what is stored is not what this program expects.
    Corrupt,
}

impl StoreError {
    /// The store did not do it, and may do it later.
    pub fn unavailable(reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { kind: StoreErrorKind::Unavailable, reason: reason.into() }
    }

    /// The store may have done it: an answer did not arrive.
    pub fn unknown(reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { kind: StoreErrorKind::Unknown, reason: reason.into() }
    }

    /// What is stored under `key` is not what this program expects; nothing was changed.
    pub fn corrupt(key: impl fmt::Display) -> Self {
        // It goes to the log, where it must not begin a line of its own.
        let key = key.to_string();
        let reason = format!("the stored value of `{}` is of the wrong type", key.escape_debug()).into();
        Self { kind: StoreErrorKind::Corrupt, reason }
    }

    /// What is known.
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            StoreErrorKind::Unavailable => "the session store did not answer",
            StoreErrorKind::Unknown => "the session store may or may not have done it",
            StoreErrorKind::Corrupt => "the session store holds something unexpected",
        };
        f.write_str(what)
    }
}

/// Shows the reason too.
impl fmt::Debug for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Chain(self), f)
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.reason)
    }
}

/// A [`Store`] whose type the manager does not name.
pub(crate) trait DynStore: Send + Sync + 'static {
    fn load(&self, id: SessionId, now: Timestamp) -> StoreFuture<'_, Option<Record>>;
    fn create<'a>(&'a self, id: SessionId, record: &'a Record, now: Timestamp) -> StoreFuture<'a, CreateOutcome>;
    fn commit<'a>(
        &'a self,
        id: SessionId,
        generation: Generation,
        delta: &'a Delta,
        now: Timestamp,
    ) -> StoreFuture<'a, CommitOutcome>;
    fn destroy(&self, id: SessionId) -> StoreFuture<'_, bool>;
    fn device_index(&self) -> Option<&dyn DeviceIndex>;
    fn notices(&self) -> Option<&Notices>;
}

impl<S: Store> DynStore for S {
    fn load(&self, id: SessionId, now: Timestamp) -> StoreFuture<'_, Option<Record>> {
        Box::pin(Store::load(self, id, now))
    }

    fn create<'a>(&'a self, id: SessionId, record: &'a Record, now: Timestamp) -> StoreFuture<'a, CreateOutcome> {
        Box::pin(Store::create(self, id, record, now))
    }

    fn commit<'a>(
        &'a self,
        id: SessionId,
        generation: Generation,
        delta: &'a Delta,
        now: Timestamp,
    ) -> StoreFuture<'a, CommitOutcome> {
        Box::pin(Store::commit(self, id, generation, delta, now))
    }

    fn destroy(&self, id: SessionId) -> StoreFuture<'_, bool> {
        Box::pin(Store::destroy(self, id))
    }

    fn device_index(&self) -> Option<&dyn DeviceIndex> {
        Store::device_index(self)
    }

    fn notices(&self) -> Option<&Notices> {
        Store::notices(self)
    }
}

impl<S: Store> Store for std::sync::Arc<S> {
    async fn load(&self, id: SessionId, now: Timestamp) -> Result<Option<Record>, StoreError> {
        S::load(self, id, now).await
    }

    async fn create(&self, id: SessionId, record: &Record, now: Timestamp) -> Result<CreateOutcome, StoreError> {
        S::create(self, id, record, now).await
    }

    async fn commit(
        &self,
        id: SessionId,
        generation: Generation,
        delta: &Delta,
        now: Timestamp,
    ) -> Result<CommitOutcome, StoreError> {
        S::commit(self, id, generation, delta, now).await
    }

    async fn destroy(&self, id: SessionId) -> Result<bool, StoreError> {
        S::destroy(self, id).await
    }

    fn device_index(&self) -> Option<&dyn DeviceIndex> {
        S::device_index(self)
    }

    fn notices(&self) -> Option<&Notices> {
        S::notices(self)
    }
}
