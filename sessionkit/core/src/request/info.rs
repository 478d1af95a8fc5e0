//! The session itself, as an application may know it.

use std::sync::Arc;

use crate::record::details::LoginDetails;
use crate::record::header::Header;
use crate::time::Timestamp;
use crate::token::SessionId;

/// The facts about a session besides its fields. It holds no secret.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SessionInfo {
    /// The session.
    pub id: SessionId,
    /// The id of the user who is logged in.
    pub user_id: Option<Arc<str>>,
    /// The time at which the session began.
    pub created_at: Timestamp,
    /// The time at which the user last proved who they are; `None` for a visitor, and if it is not known because a clock was
    /// ahead.
    pub authenticated_at: Option<Timestamp>,
    /// The time at which the session was last known to be in use; exact to the touch throttle.
    pub last_seen_at: Timestamp,
    /// The time at which the session ends unless it is used.
    pub expires_at: Timestamp,
    /// The label of the device, as the login gave it.
    pub device_label: Option<Arc<str>>,
    /// The id of the user who acts as this user, under impersonation.
    pub actor: Option<Arc<str>>,
    /// The time at which these facts were read, by the manager's clock.
    pub as_of: Timestamp,
    details: Option<Arc<LoginDetails>>,
}

impl SessionInfo {
    pub(crate) fn new(id: SessionId, header: &Header, now: Timestamp) -> Self {
        Self {
            id,
            user_id: header.user_id.clone(),
            created_at: header.created,
            authenticated_at: header.authenticated,
            last_seen_at: header.last_seen,
            expires_at: header.deadline(),
            device_label: header.device_label.clone(),
            actor: header.details.as_ref().and_then(|details| details.actor.clone()),
            as_of: now,
            details: header.details.clone(),
        }
    }

    /// Returns the methods by which the user proved who they are, as the login named them: `["pwd", "otp"]`.
    pub fn methods(&self) -> &[String] {
        self.details.as_ref().map_or(&[], |details| &details.methods)
    }
}
