//! The steps of the protocol.

use super::index::{DeviceEntry, DeviceIndex, DeviceSelection, EntryState, Registered, Registration};
use crate::config::OnMaxDevices;
use crate::engine::Engine;
use crate::engine::deadline::Deadline;
use crate::error::SessionError;
use crate::event::{About, EventKind};
use crate::record::Record;
use crate::store::{StoreError, StoreErrorKind};
use crate::time::Timestamp;
use crate::token::SessionId;

/// How many devices a user can have where no setting says so. A call of the index takes the longer the more there are,
/// and keeps others waiting: whoever logs in again and again must not make it too long.
const MOST: usize = 1000;

/// What came of the registration of a login.
pub(crate) enum Entering {
    /// There is no index.
    Unlisted,
    /// The entry is there, and waits for its session.
    Begun(Begun),
    /// The session is being ended: it is nobody's any more.
    Ended,
}

/// The entry of a login that is under way.
pub(crate) struct Begun {
    user: String,
    /// As it was registered.
    entry: DeviceEntry,
    /// Whose sessions are destroyed.
    ended: Vec<SessionId>,
}

impl Engine {
    /// The index of devices, if it is used.
    fn index(&self) -> Result<Option<&dyn DeviceIndex>, SessionError> {
        if !self.settings().track_devices {
            return Ok(None);
        }
        self.store.device_index().map(Some).ok_or_else(SessionError::no_device_index)
    }

    /// The index of devices, which somebody asks for.
    pub(super) fn required_index(&self) -> Result<&dyn DeviceIndex, SessionError> {
        self.index()?.ok_or_else(SessionError::no_device_index)
    }

    /// The name of a user in the index, which several scopes may share.
    pub(super) fn indexed(&self, user: &str) -> String {
        format!("{}{user}", self.indexed_prefix())
    }

    /// The prefix of the index keys of this scope's users, which no other scope's keys have.
    pub(super) fn indexed_prefix(&self) -> String {
        format!("{}/", self.scope().replace('%', "%25").replace('/', "%2F"))
    }

    /// Registers a login, and makes room for it.
    pub(crate) async fn enter(&self, user: &str, id: SessionId, deadline: Timestamp) -> Result<Entering, SessionError> {
        let Some(index) = self.index()? else { return Ok(Entering::Unlisted) };
        let (user, settings) = (self.indexed(user), self.settings());
        let (most, evict) = settings.max_devices.map_or((MOST, true), |most| (most, false));
        let mut login = Registration { id, deadline, most: Some(most), evict, stored: false, now: self.now() };
        let mut registered = self.registered(index, &user, login).await?;
        if registered == Registered::Full {
            // Those that have expired make room first.
            self.look_at(index, &user).await?;
            login.evict = settings.on_max_devices == OnMaxDevices::EvictOldest;
            registered = self.registered(index, &user, login).await?;
        }
        match registered {
            Registered::Full => Err(SessionError::too_many_devices(most)),
            Registered::Ended => Ok(Entering::Ended),
            Registered::Entered(ended) => {
                self.destroy_all(&user, &ended, "another login took its place", About::default()).await?;
                let entry = DeviceEntry { id, state: EntryState::Begun, registered: login.now, deadline };
                Ok(Entering::Begun(Begun { user, entry, ended }))
            }
        }
    }

    /// Moves the deadline of a session whose user proved again who they are; `false` if it is being ended.
    pub(crate) async fn extend(&self, user: &str, id: SessionId, deadline: Timestamp) -> Result<bool, SessionError> {
        let Some(index) = self.index()? else { return Ok(true) };
        let login = Registration { id, deadline, most: None, evict: false, stored: true, now: self.now() };
        Ok(self.registered(index, &self.indexed(user), login).await? != Registered::Ended)
    }

    /// Confirms a login whose session is stored, or destroys the session and fails.
    pub(crate) async fn confirm(&self, entering: Entering) -> Result<(), SessionError> {
        let (Entering::Begun(Begun { user, entry: DeviceEntry { id, .. }, ended }), Some(index)) =
            (entering, self.index()?)
        else {
            return Ok(());
        };
        let confirming = index.confirm(&user, id, &ended, self.now());
        let confirmed = self.within(&mut self.commit_deadline(), confirming).await;
        if let Ok(true) = confirmed {
            return Ok(());
        }
        let destroyed = self.within(&mut self.commit_deadline(), self.store.destroy(id)).await;
        if !confirmed? {
            destroyed?;
            return Err(SessionError::revoked());
        }
        Ok(())
    }

    /// Takes back the registration of a new session that was not stored, or may have been: its token is nobody's.
    pub(crate) async fn abandon(&self, entering: Entering, may_be_stored: bool) {
        let (Entering::Begun(Begun { user, entry, .. }), Ok(Some(index))) = (entering, self.index()) else { return };
        // Whatever is left of it goes when it is met.
        if may_be_stored {
            let _ = self.within(&mut self.commit_deadline(), self.store.destroy(entry.id)).await;
        }
        let _ = self.within(&mut self.commit_deadline(), index.forget(&user, &[entry.id])).await;
    }

    /// Takes back the registration of a login that found its session in the hands of another one: what the user ends must
    /// not be somebody else's.
    pub(crate) async fn withdraw(&self, entering: Entering) {
        let (Entering::Begun(Begun { user, entry, .. }), Ok(Some(index))) = (entering, self.index()) else { return };
        let Ok(record) = self.read(self.store.load(entry.id, self.now())).await else { return };
        // That other login may be the user's, too.
        if record.is_none_or(|record| !self.is_of(&record, &user)) {
            let _ = self.within(&mut self.commit_deadline(), index.prune(&user, &[entry])).await;
        }
    }

    /// Whether a session is that of a user, by the name in the index.
    fn is_of(&self, record: &Record, user: &str) -> bool {
        record.header().owner().is_some_and(|owner| self.indexed(owner) == user)
    }

    /// Removes the entry of a session that is over, or has another user by now. Should that fail, it goes when it is met.
    pub(crate) async fn leave(&self, user: Option<&str>, id: SessionId) {
        let (Some(user), Ok(Some(index))) = (user, self.index()) else { return };
        let _ = self.within(&mut self.commit_deadline(), index.forget(&self.indexed(user), &[id])).await;
    }

    /// Ends sessions of a user, by the name in the index, and tells which.
    pub(super) async fn end_sessions(
        &self,
        user: &str,
        meant: DeviceSelection,
        reason: &'static str,
        at: About<'_>,
    ) -> Result<Vec<SessionId>, SessionError> {
        let index = self.required_index()?;
        let ended = self.within(&mut self.commit_deadline(), index.end(user, meant, self.now())).await?;
        if !ended.is_empty() {
            self.destroy_all(user, &ended, reason, at).await?;
            self.within(&mut self.commit_deadline(), index.forget(user, &ended)).await?;
        }
        Ok(ended)
    }

    /// Ends the sessions of all users of the scope, and tells how many. Where what is stored of one user is damaged, the
    /// others' end all the same.
    pub(crate) async fn end_everyone(&self) -> Result<usize, SessionError> {
        let (mut count, mut failed) = (0, None);
        for user in self.required_index()?.users(&self.indexed_prefix()).await? {
            match self
                .end_sessions(&user, DeviceSelection::All, "everyone's sessions were ended", About::default())
                .await
            {
                Ok(ended) => count += ended.len(),
                Err(error) if error.is_of_damage() => failed = failed.or(Some(error)),
                Err(error) => return Err(error),
            }
        }
        failed.map_or(Ok(count), Err)
    }

    /// The sessions of a user that are there, the oldest first; entries of those that are over go. One whose record is
    /// damaged can only be ended.
    pub(super) async fn look_at(
        &self,
        index: &dyn DeviceIndex,
        user: &str,
    ) -> Result<Vec<(SessionId, Record)>, SessionError> {
        let now = self.now();
        let entries = self.read(index.entries(user, now)).await?;
        let (mut found, mut over, mut lost) = (Vec::new(), Vec::new(), Vec::new());
        for entry in entries {
            let record = match self.read(self.store.load(entry.id, now)).await {
                Err(error) if error.kind() == StoreErrorKind::Corrupt => {
                    let about = About { session: Some(entry.id), ..About::default() };
                    self.record(EventKind::StoreUnavailable { error: format_args!("{error}") }, about);
                    continue;
                }
                record => record?,
            };
            match record.filter(|record| !record.header().is_expired(now) && self.is_of(record, user)) {
                // Whether it was stored was not known to its login, which gave nobody the token.
                Some(_) if entry.is_abandoned(now) => lost.push(entry.id),
                Some(record) => found.push((entry.id, record)),
                None if entry.state != EntryState::Begun || entry.is_abandoned(now) => over.push(entry),
                None => {}
            }
        }
        for id in lost {
            self.end_sessions(user, DeviceSelection::One(id), "its login came to nothing", About::default()).await?;
        }
        if !over.is_empty() {
            // A login may have taken one up since it was looked at.
            self.within(&mut self.commit_deadline(), index.prune(user, &over)).await?;
        }
        Ok(found)
    }

    async fn registered(
        &self,
        index: &dyn DeviceIndex,
        user: &str,
        login: Registration,
    ) -> Result<Registered, StoreError> {
        self.within(&mut self.commit_deadline(), index.register(user, login)).await
    }

    async fn destroy_all(
        &self,
        user: &str,
        ids: &[SessionId],
        reason: &'static str,
        at: About<'_>,
    ) -> Result<(), StoreError> {
        let name = user.strip_prefix(&self.indexed_prefix());
        for id in ids {
            if self.within(&mut self.commit_deadline(), self.store.destroy(*id)).await? {
                let about = About { session: Some(*id), user_id: name, ..at };
                self.record(EventKind::Revoked { reason }, about);
            }
        }
        Ok(())
    }

    async fn read<T>(&self, call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let read = Deadline::of(self.settings().load_deadline).limit(call).await;
        read.unwrap_or_else(|| Err(StoreError::unavailable("no answer within load_deadline")))
    }
}
