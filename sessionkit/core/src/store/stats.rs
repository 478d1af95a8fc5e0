//! The contents of a store in figures.

use crate::time::Timestamp;

/// The contents of a store in figures, as far as it knows them: from [`Store::stats`](crate::Store::stats).
///
/// They are for operators, and may be estimates or some seconds old.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct StoreStats {
    /// The number of sessions, those among them that have expired and are still there.
    pub sessions: Option<u64>,
    /// The number of lists of the sessions of one user.
    pub lists: Option<u64>,
    /// The time at which the oldest session began.
    pub oldest: Option<Timestamp>,
    /// The space that all entries take up, in bytes.
    pub bytes: Option<u64>,
}
