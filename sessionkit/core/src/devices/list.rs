//! The operations of applications on the sessions of a user: list them, and end them.

use std::fmt;
use std::sync::Arc;

use super::DeviceSelection;
use super::protocol::Look;
use crate::engine::Engine;
use crate::engine::session::Removal;
use crate::error::SessionError;
use crate::event::{self, About, EventKind};
use crate::record::Record;
use crate::record::details::LoginDetails;
use crate::request::RequestSession;
use crate::time::Timestamp;
use crate::token::SessionId;

/// The devices on which a user is logged in: their sessions, listed and ended one by one or together. Needs the setting
/// `track_devices`.
///
/// [`Auth::devices`](crate::Auth::devices) gives those of the user who is logged in,
/// [`SessionManager::devices_of`](crate::SessionManager::devices_of) those of anybody. Sessions that began without the
/// setting are not among them before their next login.
///
/// ```
/// # mod sessionkit {
/// #     pub mod axum { pub use sessionkit_core::{Auth, SessionError as SessionRejection}; }
/// #     pub use sessionkit_core::*;
/// # }
/// use sessionkit::SessionId;
/// use sessionkit::axum::{Auth, SessionRejection};
///
/// async fn page(auth: Auth) -> Result<String, SessionRejection> {
///     let mut page = String::new();
///     for device in auth.devices().list().await? {
///         let label = device.device_label.as_deref().unwrap_or("unknown device");
///         page += &format!("{} {label}{}\n", device.id, if device.is_current { " (this one)" } else { "" });
///     }
///     Ok(page)
/// }
///
/// async fn end(auth: Auth, id: &str) -> Result<bool, SessionRejection> {
///     match SessionId::parse(id.as_bytes()) {
///         Some(id) => auth.devices().end(id).await,
///         None => Ok(false),
///     }
/// }
/// ```
pub struct Devices {
    whose: Whose,
}

#[derive(Clone)]
enum Whose {
    /// Of the user who is logged in.
    Own(RequestSession),
    /// Of this user.
    User(Arc<Engine>, Arc<str>),
}

/// One session of a user. It holds no secret.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Device {
    /// The session.
    pub id: SessionId,
    /// The time at which the session began.
    pub created_at: Timestamp,
    /// The time at which the user last proved who they are; `None` if it is not known because a clock was ahead.
    pub authenticated_at: Option<Timestamp>,
    /// The time at which the session was last known to be in use; exact to the touch throttle.
    pub last_seen_at: Timestamp,
    /// The device, as the login named it.
    pub device_label: Option<Arc<str>>,
    /// The other user as whom its user acts.
    pub acting_as: Option<Arc<str>>,
    /// True if it is the session of the request that asks.
    pub is_current: bool,
    details: Option<Arc<LoginDetails>>,
}

impl Device {
    fn new(id: SessionId, record: &Record, now: Timestamp, is_current: bool) -> Self {
        let seen = record.header().seen_at(now);
        let header = seen.as_ref().map_or(record.header(), |seen| &seen.header);
        let acts = header.details.as_ref().is_some_and(|details| details.actor.is_some());
        Self {
            id,
            created_at: header.created,
            authenticated_at: header.authenticated,
            last_seen_at: header.last_seen,
            device_label: header.device_label.clone(),
            acting_as: header.user_id.clone().filter(|_| acts),
            is_current,
            details: header.details.clone(),
        }
    }

    /// Returns the methods by which the user proved who they are.
    pub fn methods(&self) -> &[String] {
        self.details.as_ref().map_or(&[], |details| &details.methods)
    }
}

impl Devices {
    pub(crate) fn of_session(session: RequestSession) -> Self {
        Self { whose: Whose::Own(session) }
    }

    pub(crate) fn of_user(engine: Arc<Engine>, user: Arc<str>) -> Self {
        Self { whose: Whose::User(engine, user) }
    }
}

impl Devices {
    /// The devices, the one that was seen last first; of those seen in the same second, the one whose user logged in last.
    ///
    /// # Errors
    /// Fails where nobody is logged in, without the setting `track_devices`, and when the store fails.
    pub async fn list(&self) -> Result<Vec<Device>, SessionError> {
        self.whose.list().await
    }

    /// Ends the session on one device; `false` if it is none of this user's.
    ///
    /// # Errors
    /// Fails as [`list`](Self::list) does. Then the session may go on.
    pub async fn end(&self, id: SessionId) -> Result<bool, SessionError> {
        let ended = self.whose.end(move |_| DeviceSelection::One(id)).await?;
        Ok(ended > 0)
    }

    /// Ends the sessions on all devices but the one that asks; on all where a [manager](crate::SessionManager::devices_of)
    /// asks.
    ///
    /// A login that is under way meanwhile fails.
    ///
    /// # Errors
    /// Fails as [`list`](Self::list) does. Then some of the sessions may go on; the next call, or the user's next login,
    /// ends them.
    pub async fn end_others(&self) -> Result<(), SessionError> {
        self.whose.end(|current| current.map_or(DeviceSelection::All, DeviceSelection::Others)).await?;
        Ok(())
    }

    /// Ends the sessions on all devices, the one included that asks, as a logout does.
    ///
    /// A login that is under way meanwhile fails.
    ///
    /// # Errors
    /// Fails as [`end_others`](Self::end_others) does.
    pub async fn end_all(&self) -> Result<(), SessionError> {
        self.whose.end(|_| DeviceSelection::All).await?;
        Ok(())
    }
}

impl Whose {
    /// The user, and the session that asks.
    async fn user(&self) -> Result<(Arc<str>, Option<SessionId>), SessionError> {
        match self {
            Self::User(_, user) => Ok((user.clone(), None)),
            Self::Own(session) => {
                session.load().await?;
                let state = session.state();
                let owner = state.current.as_ref().and_then(|current| {
                    let owner = current.record.header().owner()?;
                    Some((owner.clone(), Some(current.id())))
                });
                owner.ok_or_else(SessionError::not_logged_in)
            }
        }
    }

    fn engine(&self) -> &Arc<Engine> {
        match self {
            Self::User(engine, _) => engine,
            Self::Own(session) => &session.shared.engine,
        }
    }

    async fn list(&self) -> Result<Vec<Device>, SessionError> {
        self.look().await.inspect_err(|error| self.report(error))
    }

    async fn look(&self) -> Result<Vec<Device>, SessionError> {
        let (user, current) = self.user().await?;
        let engine = self.engine();
        engine.require_lists()?;
        let list = engine.load_list(&user).await?;
        let (list, _) = engine.complete_list(list, DeviceSelection::All).await?;
        let Look { found, over, .. } = engine.look_at(&list).await?;
        engine.prune(list, over).await;
        let now = engine.now();
        let device = |(id, record): &(SessionId, Record)| Device::new(*id, record, now, current == Some(*id));
        let mut devices: Vec<Device> = found.iter().rev().map(device).collect();
        devices.sort_by_key(|device| std::cmp::Reverse(device.last_seen_at));
        Ok(devices)
    }

    /// Ends what `choose` means, given the session that asks; goes on even if the caller leaves.
    async fn end(
        &self,
        choose: impl FnOnce(Option<SessionId>) -> DeviceSelection + Send + 'static,
    ) -> Result<usize, SessionError> {
        let whose = self.clone();
        let work = async move { whose.end_in_turn(choose).await };
        let ended = self.engine().tasks.finish(work).await;
        ended.and_then(|ended| ended).inspect_err(|error| self.report(error))
    }

    fn report(&self, error: &SessionError) {
        match self {
            Self::Own(session) => session.report_failure(error),
            Self::User(engine, _) => event::tell(error, |kind| engine.record(kind, About::default())),
        }
    }

    async fn end_in_turn(
        self,
        choose: impl FnOnce(Option<SessionId>) -> DeviceSelection,
    ) -> Result<usize, SessionError> {
        let reason = "ended from the list of devices";
        let Self::Own(session) = &self else {
            let (user, _) = self.user().await?;
            return self.engine().end_sessions(&user, choose(None), reason, About::default()).await;
        };
        session.load().await?;
        let _turn = session.shared.turn.lock().await;
        let (user, current) = self.user().await?;
        let meant = choose(current);
        let engine = self.engine();
        let mut ended = engine.end_sessions(&user, meant, reason, session.shared.about()).await?;
        if let Some(current) = current.filter(|current| meant.includes(*current)) {
            // It may have begun without the list.
            let seen = session.state().current.as_ref().map(|current| current.record.clone());
            if let Some(record) = seen
                && engine.remove_record(current, record.header().generation, Removal::OwnedBy(&user)).await?
            {
                session.report(EventKind::Revoked { reason });
                ended += 1;
            }
            session.state().log_out(true);
            session.end_foreign().await?;
        }
        Ok(ended)
    }
}

impl Clone for Devices {
    fn clone(&self) -> Self {
        Self { whose: self.whose.clone() }
    }
}

impl fmt::Debug for Devices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Devices");
        match &self.whose {
            Whose::Own(session) => shown.field("session", session).finish(),
            Whose::User(_, user) => shown.field("user", user).finish_non_exhaustive(),
        }
    }
}
