//! What a store adds so that the sessions of a user can be told.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::store::StoreError;
use crate::time::Timestamp;
use crate::token::SessionId;

/// The future of a call to a store.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// How long a login may take from its registration to its confirmation, before its entry counts as abandoned.
pub(crate) const LOGIN: Duration = Duration::from_secs(60);

/// The sessions of each user, beside the records: for lists of devices, for limits, and for ending them all.
///
/// Every call is one atomic operation on the entries of one user, and on nothing else, so that a store needs no
/// transaction over several keys; the engine's protocol makes up for that. Entries are of users as the engine names them.
/// An entry is in one of three states:
///
/// - **begun**: a login has registered it, and has not stored its session yet;
/// - **confirmed**: the session is stored;
/// - **ended**: somebody decided that the session ends. It never leaves this state, so that the login that races that
///   decision learns of it; it goes when the session is destroyed.
///
/// An entry is gone at its deadline. A store with an index returns it from
/// [`Store::device_index`](crate::Store::device_index), and passes
/// [`device_suite!`](crate::device_suite).
pub trait DeviceIndex: Send + Sync {
    /// Adds an entry that is begun, or confirmed where its session is stored already, as the newest of its user. One that is there already becomes the newest, and moves its
    /// deadline later, never earlier; one that has ended stays as it is.
    ///
    /// # Errors
    /// Fails when nothing was registered, or when that is not known.
    fn register<'a>(&'a self, user: &'a str, login: Registration) -> StoreFuture<'a, Registered>;

    /// Confirms an entry, and removes the entries `ended`, whose sessions are destroyed; `false` if the entry has ended
    /// meanwhile, or is not there.
    ///
    /// # Errors
    /// Fails when nothing was changed, or when that is not known.
    fn confirm<'a>(
        &'a self,
        user: &'a str,
        id: SessionId,
        ended: &'a [SessionId],
        now: Timestamp,
    ) -> StoreFuture<'a, bool>;

    /// The entries of a user, the oldest first, those included that have ended.
    ///
    /// # Errors
    /// Fails when the store cannot tell.
    fn entries<'a>(&'a self, user: &'a str, now: Timestamp) -> StoreFuture<'a, Vec<DeviceEntry>>;

    /// Ends the entries that are meant, and returns their ids, those included that had ended before.
    ///
    /// # Errors
    /// Fails when nothing was ended, or when that is not known.
    fn end<'a>(&'a self, user: &'a str, meant: DeviceSelection, now: Timestamp) -> StoreFuture<'a, Vec<SessionId>>;

    /// Removes entries whose sessions are over, whatever became of the entries.
    ///
    /// # Errors
    /// Fails when nothing was removed, or when that is not known.
    fn forget<'a>(&'a self, user: &'a str, ids: &'a [SessionId]) -> StoreFuture<'a, ()>;

    /// Removes those of these entries that are still as they were seen: one that was registered meanwhile, or confirmed,
    /// stays.
    ///
    /// # Errors
    /// Fails when nothing was removed, or when that is not known.
    fn prune<'a>(&'a self, user: &'a str, seen: &'a [DeviceEntry]) -> StoreFuture<'a, ()>;

    /// All users whose names begin like this and who have entries, from the beginning of the call to its end at least.
    ///
    /// # Errors
    /// Fails when the store cannot tell.
    fn users<'a>(&'a self, prefix: &'a str) -> StoreFuture<'a, Vec<String>>;
}

/// What a login registers.
#[derive(Clone, Copy, Debug)]
pub struct Registration {
    /// The session.
    pub id: SessionId,
    /// When it ends at the latest.
    pub deadline: Timestamp,
    /// How many entries the user may have that have not ended, this one included; it is one at least.
    pub most: Option<usize>,
    /// Whether the oldest ones end where there would be more.
    pub evict: bool,
    /// Whether the session is stored already and belongs to the user, so that a new entry is confirmed at once.
    pub stored: bool,
    /// When this happens.
    pub now: Timestamp,
}

/// What came of [`DeviceIndex::register`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Registered {
    /// The entry is there. These have ended, now or before: their sessions have to be destroyed.
    Entered(Vec<SessionId>),
    /// Nothing was registered, because the user has as many entries as may be.
    Full,
    /// Nothing was registered, because the entry has ended.
    Ended,
}

/// Which entries of a user are meant.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DeviceSelection {
    /// All of them.
    All,
    /// All but this one.
    Others(SessionId),
    /// This one alone.
    One(SessionId),
}

impl DeviceSelection {
    /// Whether this one is meant.
    pub fn includes(self, id: SessionId) -> bool {
        match self {
            Self::All => true,
            Self::Others(other) => id != other,
            Self::One(one) => id == one,
        }
    }
}

/// One session of a user.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DeviceEntry {
    /// The session.
    pub id: SessionId,
    /// What is known of it.
    pub state: EntryState,
    /// When it was registered last.
    pub registered: Timestamp,
    /// When it ends at the latest.
    pub deadline: Timestamp,
}

/// The state of an entry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EntryState {
    /// A login has registered it.
    Begun,
    /// The session is stored.
    Confirmed,
    /// The session ends.
    Ended,
}

impl DeviceEntry {
    /// Whether its login came to nothing, so that its session, stored or not, never was anybody's.
    pub(crate) fn is_abandoned(&self, now: Timestamp) -> bool {
        self.state == EntryState::Begun && now >= self.registered.saturating_add(LOGIN)
    }
}
