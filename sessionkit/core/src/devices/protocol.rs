//! The steps of the protocol.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::config::OnMaxDevices;
use crate::devices::DeviceSelection;
use crate::devices::list_change::{Addition, ListChange, ListChangeKind};
use crate::engine::Engine;
use crate::engine::commit::CommitError;
use crate::engine::document::{Document, Refusal};
use crate::engine::session::{Found, Removal};
use crate::error::{Chain, SessionError};
use crate::event::{About, EventKind};
use crate::record::Record;
use crate::record::front::Generation;
use crate::record::list::{ListEpoch, ListedSession, SessionList};
use crate::store::error::StoreError;
use crate::store::key::EntryKey;
use crate::time::Timestamp;
use crate::token::SessionId;

/// The limit from which a login does not look for expired sessions before it ends the oldest: to load so many costs several
/// times what the login does.
const TOO_MANY_TO_LOOK_AT: usize = 1000;

/// A login that has looked at the list of its user.
pub(crate) struct Entering {
    /// The list as it was, or an empty one.
    list: SessionList,
    /// The session that the login began with.
    from: Option<SessionId>,
}

/// A session that a login has stored.
#[derive(Clone, Copy)]
pub(crate) struct StoredLogin {
    pub(crate) id: SessionId,
    pub(crate) generation: Generation,
    /// The time at which the session ends at the latest.
    pub(crate) until: Timestamp,
}

impl Entering {
    /// Returns whether the list named the session since this generation of it, so that a revocation ends it.
    pub(crate) fn knows(&self, id: SessionId, generation: Generation) -> bool {
        let is_meant = |entry: &&ListedSession| entry.id == id && !entry.is_ended;
        self.list.entries.iter().find(is_meant).is_some_and(|entry| !generation.is_after(entry.generation))
    }
}

impl Engine {
    /// Looks at the list of a user who logs in; `None` if there are no lists.
    ///
    /// # Errors
    /// Fails where the user is logged in on as many devices as may be and none makes room, and when the store fails.
    pub(crate) async fn enter(&self, user: &str, from: Option<SessionId>) -> Result<Option<Entering>, SessionError> {
        let settings = self.settings();
        if !settings.lists_devices() {
            self.warn_if_undecided();
            return Ok(None);
        }
        let mut list = self.begun_list(user).await?;
        if settings.on_max_devices == OnMaxDevices::Reject {
            let most = settings.max_devices;
            let is_other = |entry: &&ListedSession| !entry.is_ended && Some(entry.id) != from;
            let is_known = list.entries.iter().any(|entry| Some(entry.id) == from);
            if !is_known && list.entries.iter().filter(is_other).count() >= most {
                let over = self.look_at(&list).await?.over;
                list.entries.retain(|entry| !over.contains(entry));
                if list.entries.iter().filter(is_other).count() >= most {
                    return Err(SessionError::too_many_devices(most));
                }
            }
        }
        Ok(Some(Entering { list, from }))
    }

    /// Says in the log, once, what a login without a list is worth, unless the application has decided against lists.
    fn warn_if_undecided(&self) {
        if self.settings().track_devices.is_none() && !self.warned_of_devices.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                target: "sessionkit",
                event = "devices_undecided",
                scope = %self.scope(),
                cookie = %self.settings().cookie_name,
                "a user's sessions are not listed: nothing can end them from outside, and nothing limits their number; \
                 set `track_devices` to true so that they are listed, or to false if that is meant"
            );
        }
    }

    /// Returns the list of a user who logs in. If there is none, it is begun: `end_everyone` could not find it otherwise.
    async fn begun_list(&self, user: &str) -> Result<SessionList, SessionError> {
        let list = self.load_list(user).await?;
        if is_written(&list) {
            return Ok(list);
        }
        match self.change_list(list, ListChangeKind::Begin).await {
            // It was begun by another login at most.
            Ok(begun) if begun.epoch == ListEpoch::default() => Ok(begun),
            // The sessions of the user were ended after the first look.
            Ok(_) => Err(SessionError::revoked()),
            Err(CommitError::Refused(Refusal::Failed(error)) | CommitError::Failed(error)) => Err(error),
            Err(CommitError::Refused(_)) => Err(SessionError::unsettled()),
        }
    }

    /// Adds a session to the list of its user, or removes the session and fails.
    pub(crate) async fn admit(&self, entering: Option<Entering>, login: StoredLogin) -> Result<(), SessionError> {
        let Some(Entering { list, from }) = entering else { return Ok(()) };
        let most = Some(self.settings().max_devices);
        let session = ListedSession {
            id: login.id,
            is_ended: false,
            generation: login.generation,
            registered: self.now(),
            until: login.until,
        };
        let mut addition = Addition { session, from, epoch: list.epoch, most, over: Vec::new() };
        let Err(refusal) = self.add_to_list(list, &mut addition).await else { return Ok(()) };
        // Nobody gets its token, and it must not stay behind.
        self.remove_record(login.id, login.generation, Removal::AsSeen).await?;
        Err(refusal)
    }

    async fn add_to_list(&self, mut list: SessionList, addition: &mut Addition) -> Result<(), SessionError> {
        let (most, rejects) = (self.settings().max_devices, self.settings().on_max_devices == OnMaxDevices::Reject);
        let mut has_looked = !rejects && most >= TOO_MANY_TO_LOOK_AT;
        loop {
            match self.change_list(list, ListChangeKind::Add(addition.clone())).await {
                Ok(_) => return Ok(()),
                Err(CommitError::Refused(Refusal::Crowded { list: newest, sessions })) => {
                    // Those that have expired make room first.
                    if !has_looked {
                        has_looked = true;
                        addition.over.extend(self.look_at(&newest).await?.over);
                    } else if rejects {
                        return Err(SessionError::too_many_devices(most));
                    } else {
                        let reason = "another login took its place";
                        for ended in sessions {
                            self.end_listed(newest.user_id(), ended.id, reason, About::default()).await?;
                            addition.over.push(ended);
                        }
                    }
                    list = newest;
                }
                Err(CommitError::Refused(Refusal::Stale)) => return Err(SessionError::revoked()),
                Err(CommitError::Refused(Refusal::Failed(error)) | CommitError::Failed(error)) => return Err(error),
                Err(CommitError::Refused(Refusal::Gone)) => return Err(SessionError::unsettled()),
            }
        }
    }

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
        let list = self.load_list(user).await?;
        self.end_in_list(list, selection, reason, at).await
    }

    /// Ends the sessions of a list. Those that are over are not counted.
    pub(super) async fn end_in_list(
        &self,
        mut list: SessionList,
        selection: DeviceSelection,
        reason: &'static str,
        at: About<'_>,
    ) -> Result<usize, SessionError> {
        let (user, mut ended, mut count) = (list.user_id().clone(), Vec::new(), 0);
        let meant: Vec<_> = list.entries.iter().filter(|entry| selection.includes(entry.id)).copied().collect();
        let mut sessions = meant;
        loop {
            for session in &sessions {
                count += usize::from(self.end_listed(&user, session.id, reason, at).await?);
                ended.push(*session);
            }
            let end = ListChangeKind::End { selection, ended: ended.clone(), epoch: self.new_epoch() };
            match self.change_list(list, end).await {
                Ok(_) | Err(CommitError::Refused(Refusal::Gone | Refusal::Stale)) => return Ok(count),
                Err(CommitError::Refused(Refusal::Crowded { list: newest, sessions: others })) => {
                    (list, sessions) = (newest, others);
                }
                Err(CommitError::Refused(Refusal::Failed(error)) | CommitError::Failed(error)) => return Err(error),
            }
        }
    }

    /// Ends a session that a list names, if it is still the user's.
    pub(super) async fn end_listed(
        &self,
        user: &str,
        id: SessionId,
        reason: &'static str,
        at: About<'_>,
    ) -> Result<bool, SessionError> {
        let ended = match self.load_session(id, &mut self.load_deadline()).await? {
            Found::Record(record) if record.header().owner().is_some_and(|owner| **owner == *user) => {
                let removed = self.remove_record(id, record.header().generation, Removal::OwnedBy(user)).await?;
                removed && !record.header().is_expired(self.now())
            }
            Found::Unreadable(session) => self.remove_record(id, session.generation, Removal::Unreadable).await?,
            Found::Record(_) | Found::Nothing => false,
        };
        if ended {
            self.record(EventKind::Revoked { reason }, About { session: Some(id), user_id: Some(user), ..at });
        }
        Ok(ended)
    }

    /// Returns the sessions of a list that are there, the oldest first, and the entries of those that are over. A session
    /// that cannot be read is neither: it can only be ended.
    pub(super) async fn look_at(&self, list: &SessionList) -> Result<Look, SessionError> {
        let (now, mut look) = (self.now(), Look::default());
        let keys: Vec<EntryKey> = list.entries.iter().map(|entry| EntryKey::session(entry.id)).collect();
        if keys.is_empty() {
            return Ok(look);
        }
        let loaded = self.load_deadline().limit(self.store.load_many(&keys)).await;
        let loaded = loaded.unwrap_or_else(|| Err(StoreError::unavailable("no answer within load_deadline")))?;
        for (entry, stored) in list.entries.iter().zip(loaded) {
            match stored.as_ref().map(Record::read) {
                Some(Err(unreadable)) => {
                    let error = StoreError::unreadable(unreadable);
                    let about = About { session: Some(entry.id), ..About::default() };
                    self.record(EventKind::StoreUnavailable { error: format_args!("{}", Chain(&error)) }, about);
                }
                Some(Ok(record)) if is_alive(&record, list.user_id(), now) => look.found.push((entry.id, record)),
                // It is marked so that a login under way finds out.
                _ if entry.is_ended && now < entry.until => {}
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

    /// Returns the list of a user, or an empty one.
    pub(super) async fn load_list(&self, user: &str) -> Result<SessionList, SessionError> {
        let key = EntryKey::session_list(self.scope(), user);
        let entry = self.load_entry(&key, &mut self.load_deadline()).await?;
        match entry.map(|entry| SessionList::read(&entry)) {
            Some(list) => Ok(list.map_err(StoreError::unreadable)?),
            None => Ok(SessionList::new(self.scope(), user)),
        }
    }

    async fn change_list(&self, list: SessionList, kind: ListChangeKind) -> Result<SessionList, CommitError> {
        let key = EntryKey::session_list(self.scope(), list.user_id());
        let empty = SessionList::new(self.scope(), list.user_id().clone());
        let held = is_written(&list).then_some(list);
        let change = Arc::new(ListChange { empty, kind });
        self.commit_change(&self.lists, key, held, change, self.commit_deadline().end()).await
    }

    fn new_epoch(&self) -> ListEpoch {
        let mut epoch = [0; 8];
        self.tokens().fill(&mut epoch);
        ListEpoch(epoch)
    }

    pub(crate) fn require_lists(&self) -> Result<(), SessionError> {
        if self.settings().lists_devices() { Ok(()) } else { Err(SessionError::devices_are_not_tracked()) }
    }
}

/// The sessions of a list: those that were found alive, with their records, and those that are over.
#[derive(Default)]
pub(super) struct Look {
    pub(super) found: Vec<(SessionId, Record)>,
    pub(super) over: Vec<ListedSession>,
}

/// Returns `false` if a list was never written, so that there is none.
fn is_written(list: &SessionList) -> bool {
    list.history.revision != Default::default()
}

fn is_alive(record: &Record, user: &str, now: Timestamp) -> bool {
    let header = record.header();
    !header.is_expired(now) && header.owner().is_some_and(|owner| **owner == *user)
}
