//! The steps of the protocol that end sessions, and what all steps share.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::devices::DeviceSelection;
use crate::devices::list_change::{ListChange, ListChangeKind};
use crate::engine::Engine;
use crate::engine::commit::CommitError;
use crate::engine::deadline::NO_ANSWER_TO_A_LOAD;
use crate::engine::document::{Document, Refusal};
use crate::engine::session::{Found, RecordChange, Removal};
use crate::error::{Chain, SessionError};
use crate::event::{About, EventKind};
use crate::record::Record;
use crate::record::delta::{Delta, HeaderOp};
use crate::record::front::{Generation, Unreadable};
use crate::record::list::{ListEpoch, ListedSession, SessionList};
use crate::store::error::StoreError;
use crate::store::key::EntryKey;
use crate::token::SessionId;

/// The time for which a login may be under way that has put its session into the list and has not stored it yet.
pub(super) const UNDER_WAY: Duration = Duration::from_secs(60);

impl Engine {
    /// Takes a session that is over out of the list of its user; or, if it has another user by now, one whose login is
    /// older than that. If it fails, it goes when it is met.
    pub(crate) async fn leave(&self, user: Option<&str>, id: SessionId, older_than: Option<Generation>) {
        let Some(user) = user.filter(|_| self.settings().lists_devices()) else { return };
        if let Ok(list) = self.load_list(user).await
            && list.entries.iter().any(|entry| entry.id == id)
        {
            let _ = self.change_list(list, ListChangeKind::Remove { id, older_than }).await;
        }
    }

    /// Ends sessions of a user, and returns how many.
    pub(crate) async fn end_sessions(
        &self,
        user: &str,
        selection: DeviceSelection,
        reason: &'static str,
        at: About<'_>,
    ) -> Result<usize, SessionError> {
        self.require_lists()?;
        if !matches!(selection, DeviceSelection::One(_)) {
            // Before the others: what is taken over meanwhile finds it.
            self.note_end_of_all(Some(user)).await?;
        }
        let list = self.load_list(user).await?;
        self.end_in_list(list, selection, reason, at).await
    }

    /// Ends the sessions of a list. Those that are over are not counted.
    pub(super) async fn end_in_list(
        &self,
        list: SessionList,
        selection: DeviceSelection,
        reason: &'static str,
        at: About<'_>,
    ) -> Result<usize, SessionError> {
        let (mut list, missing) = self.complete_list(list, selection).await?;
        let (user, mut ended, mut count) = (list.user_id().clone(), Vec::new(), 0);
        let meant: Vec<_> = list.entries.iter().filter(|entry| selection.includes(entry.id)).copied().collect();
        let (mut sessions, mut newer) = (meant, None);
        loop {
            for session in &sessions {
                match self.end_listed(&user, session, reason, at).await? {
                    Ended::Now => count += 1,
                    Ended::Before => {}
                    Ended::Unknown(why) => newer = newer.or(Some(why)),
                }
                ended.push(*session);
            }
            // The others have ended. The list keeps all of them, for a release that can tell whose they are.
            if let Some(why) = newer {
                return Err(StoreError::unreadable(why).into());
            }
            let end = ListChangeKind::End { selection, ended: ended.clone(), epoch: self.new_epoch() };
            match self.change_list(list, end).await {
                Ok(_) | Err(CommitError::Refused(Refusal::Gone | Refusal::Stale)) => {
                    return missing.map_or(Ok(count), |error| Err(error.into()));
                }
                Err(CommitError::Refused(Refusal::Crowded { list: newest, sessions: others })) => {
                    (list, sessions) = (*newest, others);
                }
                Err(CommitError::Refused(Refusal::Failed(error)) | CommitError::Failed(error)) => return Err(error),
            }
        }
    }

    /// Ends a session that a list names, if it is still the user's; if it is not the user's yet, sees to it that it does not
    /// become so by the login that is in the list.
    pub(super) async fn end_listed(
        &self,
        user: &str,
        listed: &ListedSession,
        reason: &'static str,
        at: About<'_>,
    ) -> Result<Ended, SessionError> {
        let (id, end) = (listed.id, self.commit_deadline().end());
        let ended = loop {
            match self.load_session(id, &mut self.load_deadline()).await? {
                Found::Record(record) if is_owned(&record, user) => {
                    let removed = self.remove_record(id, record.header().generation, Removal::OwnedBy(user)).await?;
                    break removed && !record.header().is_expired(self.now());
                }
                Found::Record(record) if is_awaited(listed, &record) => {
                    if self.end_generation(id, record, end).await? {
                        break false;
                    }
                }
                Found::Unreadable(session) => {
                    // If its secret was replaced since the login, it may be another user's by now.
                    if session.why != Unreadable::Damaged && session.generation != listed.generation {
                        return Ok(Ended::Unknown(session.why));
                    }
                    break self.remove_record(id, session.generation, Removal::Unreadable).await?;
                }
                Found::Record(_) | Found::Nothing => break false,
            }
            if Instant::now() >= end {
                return Err(StoreError::unavailable("the session kept changing within commit_deadline").into());
            }
        };
        if ended {
            self.record(EventKind::Revoked { reason }, About { session: Some(id), user_id: Some(user), ..at });
        }
        Ok(if ended { Ended::Now } else { Ended::Before })
    }

    /// Refuses the login that has put a session into a list and has not stored it yet; `false` if the session has changed.
    async fn end_generation(&self, id: SessionId, record: Record, end: Instant) -> Result<bool, SessionError> {
        let generation = record.header().generation;
        let mut delta = Delta::new(generation);
        delta.header.push(HeaderOp::EndGeneration);
        match self.commit_record(id, record, RecordChange::of(delta, None), end).await {
            Ok(_) => Ok(true),
            // Another server, whose clock is behind, may think otherwise.
            Err(CommitError::Refused(Refusal::Gone)) => Ok(self.remove_record(id, generation, Removal::AsSeen).await?),
            Err(CommitError::Refused(Refusal::Failed(error)) | CommitError::Failed(error)) => Err(error),
            Err(CommitError::Refused(_)) => Ok(false),
        }
    }

    /// Returns the sessions of a list that are alive, the oldest first; the entries of those that are over; and of those
    /// that are there and make room before any other. A session that cannot be read is none of them: it can only be ended.
    ///
    /// An entry is over if there is no session, or another user's. One that has expired is spare: the clock that says so
    /// may be ahead.
    pub(super) async fn look_at(&self, list: &SessionList) -> Result<Look, SessionError> {
        let (now, mut look) = (self.now(), Look::default());
        let keys: Vec<EntryKey> = list.entries.iter().map(|entry| EntryKey::session(entry.id)).collect();
        if keys.is_empty() {
            return Ok(look);
        }
        let loaded = self.load_deadline().limit(self.store.load_many(&keys)).await;
        let loaded = loaded.unwrap_or_else(|| Err(StoreError::unavailable(NO_ANSWER_TO_A_LOAD)))?;
        for (entry, stored) in list.entries.iter().zip(loaded) {
            match stored.as_ref().map(Record::read) {
                Some(Err(unreadable)) => {
                    let error = StoreError::unreadable(unreadable);
                    let about = About { session: Some(entry.id), ..About::default() };
                    self.record(EventKind::StoreUnavailable { error: format_args!("{}", Chain(&error)) }, about);
                }
                Some(Ok(record)) if is_owned(&record, list.user_id()) => match record.header().is_expired(now) {
                    false => look.found.push((entry.id, record)),
                    true => look.spare.push(*entry),
                },
                // It is marked so that a login under way finds out.
                _ if entry.is_ended && now < entry.until => {}
                Some(Ok(record)) if is_awaited(entry, &record) => {
                    if now.saturating_duration_since(entry.registered) >= UNDER_WAY {
                        look.spare.push(*entry);
                    }
                }
                _ => look.over.push(*entry),
            }
        }
        Ok(look)
    }

    /// Takes entries out of a list that are over. If it fails, they go another time.
    pub(super) async fn prune(&self, list: SessionList, over: Vec<ListedSession>) {
        if !over.is_empty() {
            let _ = self.change_list(list, ListChangeKind::Prune(over)).await;
        }
    }

    pub(super) async fn change_list(
        &self,
        list: SessionList,
        kind: ListChangeKind,
    ) -> Result<SessionList, CommitError> {
        let key = EntryKey::session_list(self.scope(), list.user_id());
        let empty = SessionList::new(self.scope(), list.user_id().clone());
        let held = is_written(&list).then_some(list);
        let change = Arc::new(ListChange { empty, kind });
        self.commit_change(key, held, change, self.commit_deadline().end()).await
    }

    pub(super) fn new_epoch(&self) -> ListEpoch {
        let mut epoch = [0; 8];
        self.tokens().fill(&mut epoch);
        ListEpoch(epoch)
    }

    pub(crate) fn require_lists(&self) -> Result<(), SessionError> {
        if self.settings().lists_devices() { Ok(()) } else { Err(SessionError::devices_are_not_tracked()) }
    }
}

/// The outcome of ending a session that a list names.
pub(super) enum Ended {
    /// This call has ended it.
    Now,
    /// It had ended, or is not the user's.
    Before,
    /// It may be the user's or not: a later release has written it since.
    Unknown(Unreadable),
}

/// The sessions of a list: those that were found alive, with their records, those that are over, and those that have
/// expired or belong to a login that has failed.
#[derive(Default)]
pub(super) struct Look {
    pub(super) found: Vec<(SessionId, Record)>,
    pub(super) over: Vec<ListedSession>,
    pub(super) spare: Vec<ListedSession>,
}

/// Returns `false` if a list was never written, so that there is none.
pub(super) fn is_written(list: &SessionList) -> bool {
    list.history.revision != Default::default()
}

pub(super) fn is_owned(record: &Record, user: &str) -> bool {
    record.header().owner().is_some_and(|owner| **owner == *user)
}

/// Returns whether a session that is not the user's becomes so if the login that is in the list is under way still.
fn is_awaited(entry: &ListedSession, record: &Record) -> bool {
    entry.generation.is_after(record.header().generation)
}
