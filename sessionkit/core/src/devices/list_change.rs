//! The changes that logins, logouts and revocations make to the list of a user's sessions, as pure functions.

use std::time::Duration;

use crate::devices::DeviceSelection;
use crate::engine::document::{Change, Refusal, Step};
use crate::record::front::Generation;
use crate::record::list::{ListEpoch, ListedSession, SessionList};
use crate::time::Timestamp;
use crate::token::SessionId;

/// The time for which a session that was ended from the list stays in it.
const ENDED_FOR: Duration = Duration::from_secs(60);

/// A change of the list of a user's sessions.
pub(crate) struct ListChange {
    /// The list of a user who has none.
    pub(crate) empty: SessionList,
    pub(crate) kind: ListChangeKind,
}

pub(crate) enum ListChangeKind {
    /// Writes an empty list for a user who has none, so that the end of everyone's sessions finds it.
    Begin,
    Add(Addition),
    /// Takes a session out.
    Remove {
        id: SessionId,
        /// Only if its user logged in under an older generation than this.
        older_than: Option<Generation>,
    },
    /// Takes out what is still as it was seen.
    Prune(Vec<ListedSession>),
    /// Notes that a session in a cookie has ended.
    Revoke(ListedSession),
    /// Notes that all sessions in cookies have ended, for as long as the marker says.
    RevokeAll {
        marker: ListedSession,
        /// The epoch from now on.
        epoch: ListEpoch,
    },
    /// Puts in the sessions that the list may lack, since it replaced a damaged one.
    Complete {
        found: Vec<ListedSession>,
        /// Since when sessions may have been missing, if none is any more.
        since: Option<Timestamp>,
    },
    End {
        selection: DeviceSelection,
        /// The sessions that have ended, as they were listed then: the user may have logged in with one of them again.
        ended: Vec<ListedSession>,
        /// The epoch from now on.
        epoch: ListEpoch,
    },
}

/// A session that a login has stored or is about to store.
#[derive(Clone)]
pub(crate) struct Addition {
    pub(crate) session: ListedSession,
    /// The session that the login began with.
    pub(crate) from: Option<SessionId>,
    /// The epoch that the login saw.
    pub(crate) epoch: ListEpoch,
    /// The largest number of sessions that the list may have, at least one.
    pub(crate) most: Option<usize>,
    /// Sessions that are over, as they were listed then.
    pub(crate) over: Vec<ListedSession>,
}

impl Change<SessionList> for ListChange {
    fn apply(&self, newest: Option<&SessionList>, now: Timestamp) -> Step<SessionList> {
        let mut list = newest.unwrap_or(&self.empty).clone();
        match &self.kind {
            ListChangeKind::Begin if newest.is_some() => Step::Unchanged,
            ListChangeKind::Begin => Step::Changed(list),
            ListChangeKind::Add(addition) => addition.apply(list, now),
            ListChangeKind::Remove { id, older_than } => {
                let is_meant = |entry: &ListedSession| {
                    entry.id == *id && older_than.is_none_or(|generation| generation.is_after(entry.generation))
                };
                without(list, is_meant)
            }
            ListChangeKind::Complete { found, since } => {
                let is_missing = |found: &&ListedSession| list.entries.iter().all(|entry| entry.id != found.id);
                let missing: Vec<_> = found.iter().filter(is_missing).copied().collect();
                let is_complete = since.is_some() && *since == list.incomplete_since;
                if missing.is_empty() && !is_complete {
                    return Step::Unchanged;
                }
                if is_complete {
                    list.incomplete_since = None;
                }
                // Their users logged in before the damaged list was replaced.
                list.entries.splice(..0, missing);
                Step::Changed(list)
            }
            ListChangeKind::Revoke(session) => {
                list.entries.retain(|entry| now < entry.until && entry.id != session.id);
                list.entries.push(*session);
                Step::Changed(list)
            }
            ListChangeKind::RevokeAll { marker, epoch } => {
                (list.entries, list.epoch) = (vec![*marker], *epoch);
                Step::Changed(list)
            }
            ListChangeKind::Prune(seen) => without(list, |entry| seen.contains(entry)),
            ListChangeKind::End { selection: DeviceSelection::One(id), ended, .. } => {
                let Some(entry) = list.entries.iter_mut().find(|entry| entry.id == *id) else { return Step::Unchanged };
                if !ended.contains(entry) {
                    let sessions = vec![*entry];
                    return Step::Refused(Refusal::Crowded { list: Box::new(list), sessions });
                }
                (entry.is_ended, entry.until) = (true, now.saturating_add(ENDED_FOR));
                Step::Changed(list)
            }
            ListChangeKind::End { selection, ended, epoch } => {
                let is_meant = |entry: &ListedSession| selection.includes(entry.id);
                let alive = |entry: &&ListedSession| is_meant(entry) && !ended.contains(entry);
                let sessions: Vec<_> = list.entries.iter().filter(alive).copied().collect();
                if !sessions.is_empty() {
                    return Step::Refused(Refusal::Crowded { list: Box::new(list), sessions });
                }
                list.entries.retain(|entry| !is_meant(entry));
                list.epoch = *epoch;
                Step::Changed(list)
            }
        }
    }
}

impl Addition {
    fn apply(&self, mut list: SessionList, now: Timestamp) -> Step<SessionList> {
        let id = self.session.id;
        let is_marked = |entry: &ListedSession| entry.is_ended && now < entry.until;
        let is_ended = |entry: &ListedSession| is_marked(entry) && (entry.id == id || Some(entry.id) == self.from);
        if list.epoch != self.epoch || list.entries.iter().any(is_ended) {
            return Step::Refused(Refusal::Stale);
        }
        // No clock says that a session is over: it may be ahead. A mark that is dropped too early harms nobody.
        list.entries.retain(|entry| (!entry.is_ended || is_marked(entry)) && !self.over.contains(entry));
        let known = list.entries.iter().find(|entry| entry.id == id).copied();
        let others = || list.entries.iter().filter(|entry| entry.id != id && !entry.is_ended);
        let surplus = self.most.map_or(0, |most| (others().count() + 1).saturating_sub(most));
        if surplus > 0 && known.is_none() {
            let sessions = others().take(surplus).copied().collect();
            return Step::Refused(Refusal::Crowded { list: Box::new(list), sessions });
        }
        let mut session = self.session;
        if let Some(known) = known {
            session.until = session.until.max(known.until);
            if known.generation.is_after(session.generation) {
                session.generation = known.generation;
            }
        }
        list.entries.retain(|entry| entry.id != id);
        list.entries.push(session);
        Step::Changed(list)
    }
}

fn without(mut list: SessionList, is_meant: impl Fn(&ListedSession) -> bool) -> Step<SessionList> {
    let before = list.entries.len();
    list.entries.retain(|entry| !is_meant(entry));
    if list.entries.len() == before { Step::Unchanged } else { Step::Changed(list) }
}
