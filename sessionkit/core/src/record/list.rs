//! The list of the sessions of one user, as it is stored.
//!
//! Its bytes are described beside those of a session: see [`record`](crate::record).

use std::sync::Arc;
use std::time::Duration;

use crate::record::front::{self, EntryKind, FRONT, Generation, History, Revision, Unreadable};
use crate::record::parts::{read_time, time};
use crate::record::varint::{read_slice, write_slice};
use crate::time::Timestamp;
use crate::token::SessionId;

const ENTRY: usize = 31;
const ENDED: u8 = 1;
/// Marks an entry that is no session, and says since when sessions may be missing.
const INCOMPLETE: u8 = 2;

/// The time for which a list is kept that may lack sessions: browsers keep no cookie for longer.
const KEPT_INCOMPLETE: Duration = Duration::from_secs(400 * 24 * 60 * 60);

/// Changes whenever the sessions of a user are ended together, so that a login under way finds out.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct ListEpoch(pub(crate) [u8; 8]);

/// The sessions of one user, the one whose login is the oldest first, for operators and tests.
///
/// The engine keeps it under [`EntryKey::session_list`](crate::EntryKey::session_list) with the setting
/// `track_devices`. It may name sessions that have ended or have another user by now.
#[derive(Clone, Debug)]
pub struct SessionList {
    pub(crate) history: History,
    pub(crate) epoch: ListEpoch,
    scope: Arc<str>,
    user_id: Arc<str>,
    pub(crate) entries: Vec<ListedSession>,
    /// Since when there may be sessions of the user that it does not name: it replaced a damaged one.
    pub(crate) incomplete_since: Option<Timestamp>,
}

/// One session in the list of a user.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ListedSession {
    /// The session.
    pub id: SessionId,
    /// True if it was ended from the list. It stays there for a while, so that a login under way finds out.
    pub is_ended: bool,
    /// The generation that its last login made.
    pub generation: Generation,
    /// The time at which its user logged in last.
    pub registered: Timestamp,
    /// Until when it is listed: no session is alive after that.
    pub until: Timestamp,
}

impl SessionList {
    /// Makes an empty list, whose epoch is that of a user who has no list.
    pub(crate) fn new(scope: impl Into<Arc<str>>, user_id: impl Into<Arc<str>>) -> Self {
        Self {
            history: History::default(),
            epoch: ListEpoch::default(),
            scope: scope.into(),
            user_id: user_id.into(),
            entries: Vec::new(),
            incomplete_since: None,
        }
    }

    /// Makes of an empty list the one that takes the place of a damaged one, which has the revision `held`.
    pub(crate) fn begun_anew(self, held: Revision, epoch: ListEpoch, random: u32, now: Timestamp) -> Self {
        let history = History { revision: held, ..History::default() }.next(random);
        Self { history, epoch, incomplete_since: Some(now), ..self }
    }

    /// Returns until when the list is needed.
    pub(crate) fn kept_until(&self) -> Timestamp {
        let incomplete = self.incomplete_since.map(|since| since.saturating_add(KEPT_INCOMPLETE));
        self.entries.iter().map(|entry| entry.until).chain(incomplete).max().unwrap_or_default()
    }

    /// Returns the name of the scope.
    pub fn scope(&self) -> &str {
        &self.scope
    }

    /// Returns the user whose sessions they are.
    pub fn user_id(&self) -> &Arc<str> {
        &self.user_id
    }

    /// Returns the sessions, the one whose login is the oldest first.
    pub fn sessions(&self) -> &[ListedSession] {
        &self.entries
    }

    /// Reads a list from the bytes of an entry.
    ///
    /// # Errors
    /// Fails when the bytes are of a version that this release does not know, or no whole list.
    pub fn from_bytes(packed: &[u8]) -> Result<Self, Unreadable> {
        let (_, history) = front::read_front(packed, EntryKind::SessionList)?;
        Self::read(&packed[FRONT..], history).ok_or(Unreadable::Damaged)
    }

    fn read(mut rest: &[u8], history: History) -> Option<Self> {
        let (epoch, after) = rest.split_first_chunk::<8>()?;
        rest = after;
        let scope = std::str::from_utf8(read_slice(&mut rest)?).ok()?.into();
        let user_id = std::str::from_utf8(read_slice(&mut rest)?).ok()?.into();
        let (packed, remainder) = rest.as_chunks::<ENTRY>();
        let (mut entries, mut incomplete_since) = (Vec::with_capacity(packed.len()), None);
        for packed in packed {
            let (id, rest) = packed.split_first_chunk::<16>()?;
            let (flags, rest) = rest.split_first()?;
            let (generation, rest) = rest.split_first_chunk::<4>()?;
            let (registered, until) = rest.split_first_chunk::<5>()?;
            if flags & INCOMPLETE != 0 {
                incomplete_since = Some(read_time(*registered));
                continue;
            }
            entries.push(ListedSession {
                id: SessionId::from_bytes(*id),
                is_ended: flags & ENDED != 0,
                generation: Generation::from_number(u32::from_be_bytes(*generation)),
                registered: read_time(*registered),
                until: read_time(until.try_into().ok()?),
            });
        }
        let list = Self { history, epoch: ListEpoch(*epoch), scope, user_id, entries, incomplete_since };
        remainder.is_empty().then_some(list)
    }

    /// Packs the list.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut packed = Vec::with_capacity(FRONT + 64 + self.entries.len() * ENTRY);
        front::write_front(&mut packed, EntryKind::SessionList, Generation::default());
        self.history.write(&mut packed);
        packed.extend_from_slice(&self.epoch.0);
        write_slice(&mut packed, self.scope.as_bytes());
        write_slice(&mut packed, self.user_id.as_bytes());
        if let Some(since) = self.incomplete_since {
            packed.extend_from_slice(&[0; 16]);
            packed.push(INCOMPLETE);
            packed.extend_from_slice(&[0; 4]);
            packed.extend_from_slice(&time(since));
            packed.extend_from_slice(&time(since.saturating_add(KEPT_INCOMPLETE)));
        }
        for ListedSession { id, is_ended, generation, registered, until } in &self.entries {
            packed.extend_from_slice(id.as_bytes());
            packed.push(if *is_ended { ENDED } else { 0 });
            packed.extend_from_slice(&generation.to_bytes());
            packed.extend_from_slice(&time(*registered));
            packed.extend_from_slice(&time(*until));
        }
        packed
    }
}
