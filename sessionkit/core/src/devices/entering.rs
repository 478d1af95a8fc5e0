//! The steps of a login.

use std::sync::atomic::Ordering;

use crate::config::OnMaxDevices;
use crate::devices::list_change::{Addition, ListChangeKind};
use crate::devices::protocol::{Ended, is_written};
use crate::engine::Engine;
use crate::engine::commit::CommitError;
use crate::engine::document::Refusal;
use crate::engine::session::Removal;
use crate::error::SessionError;
use crate::event::About;
use crate::record::front::Generation;
use crate::record::list::{ListEpoch, ListedSession, SessionList};
use crate::store::error::StoreError;
use crate::time::Timestamp;
use crate::token::SessionId;

/// The limit from which a login does not look for expired sessions before it ends the oldest: to load so many costs several
/// times what the login does.
const TOO_MANY_TO_LOOK_AT: usize = 1000;

/// A login that has looked at the list of its user.
pub(crate) struct Entering {
    /// The newest list that the login knows.
    list: SessionList,
    /// The epoch at the first look. A newer list may be of another.
    epoch: ListEpoch,
    /// The session that the login began with.
    from: Option<SessionId>,
    /// The sessions that make room before any other, once it has looked for them.
    spare: Option<Vec<ListedSession>>,
}

/// A session that a login has stored or is about to store.
#[derive(Clone, Copy)]
pub(crate) struct EnteringSession {
    pub(crate) id: SessionId,
    /// The generation that the login makes.
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
        let (mut list, mut spare) = (self.begun_list(user).await?, None);
        if settings.on_max_devices == OnMaxDevices::Reject {
            let most = settings.max_devices;
            let is_other = |entry: &&ListedSession| !entry.is_ended && Some(entry.id) != from;
            let is_known = list.entries.iter().any(|entry| Some(entry.id) == from);
            if !is_known && list.entries.iter().filter(is_other).count() >= most {
                let look = self.look_at(&list).await?;
                list.entries.retain(|entry| !look.over.contains(entry));
                if list.entries.iter().filter(is_other).filter(|entry| !look.spare.contains(entry)).count() >= most {
                    return Err(SessionError::too_many_devices(most));
                }
                spare = Some(look.spare);
            }
        }
        Ok(Some(Entering { epoch: list.epoch, list, from, spare }))
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

    /// Adds a session to the list of its user. A session that is there already is added before the
    /// login changes it: if that fails, nothing has happened to it.
    ///
    /// # Errors
    /// Fails where the sessions of the user were ended since the login looked at the list, where none makes room, and when
    /// the store fails.
    pub(crate) async fn admit(
        &self,
        entering: &mut Option<Entering>,
        login: EnteringSession,
    ) -> Result<(), SessionError> {
        let Some(entering) = entering else { return Ok(()) };
        let most = Some(self.settings().max_devices);
        let session = ListedSession {
            id: login.id,
            is_ended: false,
            generation: login.generation,
            registered: self.now(),
            until: login.until,
        };
        let (from, epoch) = (entering.from, entering.epoch);
        self.add_to_list(entering, Addition { session, from, epoch, most, over: Vec::new() }).await
    }

    /// Adds a session that was begun to the list of its user, or removes the session and fails: nobody gets its token, and
    /// it must not stay behind.
    pub(crate) async fn admit_begun(
        &self,
        entering: &mut Option<Entering>,
        login: EnteringSession,
    ) -> Result<(), SessionError> {
        let Err(refusal) = self.admit(entering, login).await else { return Ok(()) };
        self.remove_record(login.id, login.generation, Removal::AsSeen).await?;
        Err(refusal)
    }

    async fn add_to_list(&self, entering: &mut Entering, mut addition: Addition) -> Result<(), SessionError> {
        let (most, rejects) = (self.settings().max_devices, self.settings().on_max_devices == OnMaxDevices::Reject);
        if !rejects && most >= TOO_MANY_TO_LOOK_AT {
            entering.spare.get_or_insert_default();
        }
        loop {
            match self.change_list(entering.list.clone(), ListChangeKind::Add(addition.clone())).await {
                Ok(stored) => {
                    entering.list = stored;
                    return Ok(());
                }
                Err(CommitError::Refused(Refusal::Crowded { list: newest, sessions })) => {
                    if let Some(spare) = &entering.spare {
                        let is_spare =
                            |entry: &&ListedSession| spare.contains(entry) && entry.id != addition.session.id;
                        let spare = newest.entries.iter().filter(is_spare).take(sessions.len()).copied();
                        let mut leaving: Vec<_> = spare.collect();
                        if leaving.is_empty() {
                            if rejects {
                                return Err(SessionError::too_many_devices(most));
                            }
                            leaving = sessions;
                        }
                        let reason = "another login took its place";
                        for ended in leaving {
                            match self.end_listed(newest.user_id(), &ended, reason, About::default()).await? {
                                Ended::Now | Ended::Before => addition.over.push(ended),
                                Ended::Unknown(why) => return Err(StoreError::unreadable(why).into()),
                            }
                        }
                    } else {
                        // Those that are over make room first.
                        let look = self.look_at(&newest).await?;
                        addition.over.extend(look.over);
                        entering.spare = Some(look.spare);
                    }
                    entering.list = *newest;
                }
                Err(CommitError::Refused(Refusal::Stale)) => return Err(SessionError::revoked()),
                Err(CommitError::Refused(Refusal::Failed(error)) | CommitError::Failed(error)) => return Err(error),
                Err(CommitError::Refused(Refusal::Gone)) => return Err(SessionError::unsettled()),
            }
        }
    }
}
