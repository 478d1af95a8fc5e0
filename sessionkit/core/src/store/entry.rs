//! The entry that a store keeps under a key.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::record::Record;
use crate::record::adoption::Adoption;
use crate::record::front::{self, EntryKind, Generation, Revision};
use crate::record::list::SessionList;
use crate::time::Timestamp;

/// The time for which an entry is kept longer than needed, because clocks differ.
const MARGIN: Duration = Duration::from_secs(5 * 60);

/// The time after the last write of a list for which a login that has looked at it may be under way.
const UNDER_WAY: Duration = Duration::from_secs(2 * 60);

/// The bytes that a store keeps under a key, which it need not understand. Cheap to clone.
///
/// A store reads its own entries with [`from_bytes`](Self::from_bytes).
#[derive(Clone, Eq, PartialEq)]
pub struct Entry {
    bytes: Arc<[u8]>,
    reclaim_in: Duration,
}

impl Entry {
    /// Makes an entry of what a store holds. It has nothing to reclaim.
    pub fn from_bytes(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self { bytes: bytes.into(), reclaim_in: Duration::ZERO }
    }

    /// Makes an entry that may be forgotten after this time, for stores that wrap another one, and for tests.
    pub fn new(bytes: impl Into<Arc<[u8]>>, reclaim_in: Duration) -> Self {
        Self { bytes: bytes.into(), reclaim_in }
    }

    /// Makes an entry of what a later release of a store has written in a way that this one does not know: a session that
    /// requests wait for, and that only a logout ends. `bytes` are those of the entry.
    ///
    /// ```
    /// use sessionkit_core::Entry;
    ///
    /// let entry = Entry::of_unknown_version([1; 100]);
    /// assert!(entry.revision().is_some() && entry.summary().is_none());
    /// ```
    pub fn of_unknown_version(bytes: impl Into<Vec<u8>>) -> Self {
        let mut bytes = bytes.into();
        if let Some(version) = bytes.first_mut() {
            *version = front::LAST_VERSION;
        }
        Self::from_bytes(bytes)
    }

    /// Makes the entry of a session, which is kept until after its deadline.
    pub(crate) fn of_record(record: &Record, now: Timestamp) -> Self {
        let left = record.header().deadline().saturating_duration_since(now);
        Self::new(record.as_bytes().clone(), left.saturating_add(MARGIN))
    }

    /// Makes the entry of a list, which is kept until after the last of its sessions, and while logins may be under way
    /// that have looked at it.
    pub(crate) fn of_list(list: &SessionList, now: Timestamp) -> Self {
        let left = list.kept_until().saturating_duration_since(now).max(UNDER_WAY);
        Self::new(list.to_bytes(), left.saturating_add(MARGIN))
    }

    /// Makes the entry of a note, which is kept for as long as it says.
    pub(crate) fn of_adoption(adoption: &Adoption, now: Timestamp) -> Self {
        let left = adoption.kept_until.saturating_duration_since(now);
        Self::new(adoption.to_bytes(), left.saturating_add(MARGIN))
    }

    /// Returns the bytes to store.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the bytes to store, shared.
    pub fn shared_bytes(&self) -> &Arc<[u8]> {
        &self.bytes
    }

    /// Returns how long from now the entry must be kept: until its deadline, and five minutes more, so that clocks which
    /// differ lose nothing.
    pub fn reclaim_in(&self) -> Duration {
        self.reclaim_in
    }

    /// Returns whether [`Store::replace`](crate::Store::replace) may replace the entry: it has the revision that is held, or is
    /// too short to have any, and the default is held.
    pub fn has_revision(&self, held: Revision) -> bool {
        front::has_revision(&self.bytes, held)
    }

    /// Returns whether [`Store::remove`](crate::Store::remove) may remove the entry: it has the generation that is held, or is
    /// too short to have any.
    pub fn may_be_removed(&self, held: Generation) -> bool {
        front::may_be_removed(&self.bytes, held)
    }

    /// Returns the revision; `None` if the bytes are too short.
    pub fn revision(&self) -> Option<Revision> {
        front::revision_of(&self.bytes)
    }

    /// Returns the generation; `None` if the bytes are too short.
    pub fn generation(&self) -> Option<Generation> {
        front::generation_of(&self.bytes)
    }

    /// Returns what may be shown of the entry, for stores with a table that people look into, and for operators; `None`
    /// if it cannot be read.
    pub fn summary(&self) -> Option<EntrySummary> {
        match front::kind_of(&self.bytes)? {
            EntryKind::Session => {
                let record = Record::from_bytes(self.bytes.clone()).ok()?;
                let header = record.header();
                Some(EntrySummary {
                    kind: EntryKind::Session,
                    scope: header.scope.clone().into_owned(),
                    user_id: header.user_id.as_deref().map(str::to_owned),
                    created: Some(header.created),
                    last_seen: Some(header.last_seen),
                    device_label: header.device_label.as_deref().map(str::to_owned),
                })
            }
            EntryKind::Adoption => {
                let adoption = Adoption::from_bytes(&self.bytes).ok()?;
                Some(EntrySummary {
                    kind: EntryKind::Adoption,
                    scope: adoption.scope.to_string(),
                    user_id: None,
                    created: None,
                    last_seen: None,
                    device_label: None,
                })
            }
            EntryKind::SessionList => {
                let list = SessionList::from_bytes(&self.bytes).ok()?;
                Some(EntrySummary {
                    kind: EntryKind::SessionList,
                    scope: list.scope().to_owned(),
                    user_id: Some(list.user_id().to_string()),
                    created: None,
                    last_seen: None,
                    device_label: None,
                })
            }
        }
    }
}

/// Shows the revision and the length: the bytes may be sensitive.
impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bytes, reclaim_in } = self;
        f.debug_struct("Entry")
            .field("revision", &self.revision())
            .field("generation", &self.generation())
            .field("length", &bytes.len())
            .field("reclaim_in", reclaim_in)
            .finish()
    }
}

/// The parts of an entry that may be shown to people who look into a database. They hold no secret and no field.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct EntrySummary {
    /// The kind of the entry.
    pub kind: EntryKind,
    /// The name of the scope.
    pub scope: String,
    /// The user who is logged in, or whose list it is.
    pub user_id: Option<String>,
    /// The time at which the session began.
    pub created: Option<Timestamp>,
    /// The time at which the session was last known to be in use; exact to the touch throttle.
    pub last_seen: Option<Timestamp>,
    /// The device, as the login named it.
    pub device_label: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(length: usize) -> Entry {
        let mut bytes = [0; 40];
        bytes[Revision::RANGE].copy_from_slice(&[1, 2, 3, 4, 5, 6, 7, 8]);
        bytes[Generation::RANGE].copy_from_slice(&[0, 0, 1, 2]);
        Entry::from_bytes(&bytes[..length])
    }

    #[test]
    fn all_bytes_of_a_revision_count() {
        let revision = [1, 2, 3, 4, 5, 6, 7, 8];
        assert!(entry(40).has_revision(Revision::from_bytes(revision)));
        for at in 0..8 {
            let mut other = revision;
            other[at] ^= 1;
            assert!(!entry(40).has_revision(Revision::from_bytes(other)), "{at}");
        }
        assert!(entry(9).has_revision(Revision::from_bytes(revision)));
        for length in [0, 1, 8] {
            assert!(!entry(length).has_revision(Revision::from_bytes(revision)), "it is cut off");
            assert!(entry(length).has_revision(Revision::default()), "and can be replaced");
        }
        assert!(!entry(9).has_revision(Revision::default()));
    }

    #[test]
    fn an_entry_too_short_for_a_generation_may_be_removed_under_any() {
        let [held, other] = [258, 257].map(Generation::from_number);
        assert!(entry(40).may_be_removed(held) && !entry(40).may_be_removed(other));
        assert!(entry(13).may_be_removed(held) && !entry(13).may_be_removed(other));
        assert!([0, 12].iter().all(|length| entry(*length).may_be_removed(other)));
    }
}
