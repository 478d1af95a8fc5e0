//! The entries of an audit trail.

use super::{EventKind, SessionEvent};
use crate::time::Timestamp;
use crate::token::SessionId;

/// An event as an [`AuditLog`](super::AuditLog) keeps it. It holds no secret, and no text of an error.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct AuditEntry {
    /// The time of the event, by the manager's clock.
    pub at: Timestamp,
    /// The kind of the event: [`EventKind::name`], or `entries_lost`.
    pub event: &'static str,
    /// The reason, for events that have one of a few.
    pub reason: Option<&'static str>,
    /// The name of the session scope.
    pub scope: &'static str,
    /// The session.
    pub session: Option<SessionId>,
    /// The id of the user who is logged in.
    pub user_id: Option<Box<str>>,
    /// The id of the user who acts as this user, under impersonation.
    pub actor: Option<Box<str>>,
    /// The device of the session, as the login named it.
    pub device_label: Option<Box<str>>,
    /// The guarded handler, by its path in the program.
    pub handler: Option<&'static str>,
    /// The method and the path of the request, without the query.
    pub route: Option<Box<str>>,
    /// The number of entries that found no room at this place because the log did not keep up, if `event` is `entries_lost`;
    /// otherwise 0.
    pub lost: u64,
}

impl AuditEntry {
    pub(super) fn new(event: &SessionEvent<'_>) -> Self {
        Self {
            at: event.at(),
            event: event.kind().name(),
            reason: event.kind().reason(),
            scope: event.scope(),
            session: event.session(),
            user_id: event.user_id().map(Into::into),
            actor: event.actor().map(Into::into),
            device_label: event.device_label().map(Into::into),
            handler: event.handler(),
            route: event.route().map(|route| route.to_string().into()),
            lost: 0,
        }
    }

    /// The entry that stands for those that found no room, of which this is the first; they are counted in it.
    pub(super) fn none_lost(first: &SessionEvent<'_>) -> Self {
        let (at, event, scope) = (first.at(), "entries_lost", first.scope());
        let (session, user_id, actor, device_label, handler, route) = Default::default();
        Self { at, event, reason: None, scope, session, user_id, actor, device_label, handler, route, lost: 0 }
    }
}

impl EventKind<'_> {
    /// Returns whether an audit trail keeps it by default: who came and went, and who was refused; not what
    /// belongs to running the application, and not tokens that open nothing.
    pub fn is_audited(&self) -> bool {
        !matches!(
            self,
            Self::Created
                | Self::Renewed
                | Self::Rejected { .. }
                | Self::WriteDiscarded { .. }
                | Self::ContributionDiscarded { .. }
                | Self::LateWrite { .. }
                | Self::Uncommitted
                | Self::NextDropped { .. }
                | Self::Conflict
                | Self::StoreWentBack
                | Self::Unfit { .. }
                | Self::Undecryptable { .. }
                | Self::NotAdopted { .. }
                | Self::ForeignNotWritten { .. }
                | Self::Shadowed { .. }
                | Self::CutOff
                | Self::StoreUnavailable { .. }
                | Self::Failed { .. }
                | Self::SweepFailed { .. }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trail_keeps_who_came_and_went_and_who_was_refused() {
        for kept in [
            EventKind::Login,
            EventKind::Reauthenticated,
            EventKind::Impersonated,
            EventKind::ImpersonationEnded,
            EventKind::Logout,
            EventKind::Revoked { reason: "" },
            EventKind::Rotated,
            EventKind::Expired,
            EventKind::Ambiguous,
            EventKind::Unguarded,
            EventKind::Denied { reason: "" },
            EventKind::Csrf { reason: "" },
            EventKind::Adopted { system: "" },
            EventKind::ForeignEnded { system: "" },
        ] {
            assert!(kept.is_audited(), "{}", kept.name());
        }
        for left_out in [
            EventKind::Created,
            EventKind::Renewed,
            EventKind::Rejected { reason: "" },
            EventKind::WriteDiscarded { reason: "" },
            EventKind::ContributionDiscarded { key: "" },
            EventKind::LateWrite { key: "" },
            EventKind::Uncommitted,
            EventKind::Conflict,
            EventKind::StoreWentBack,
            EventKind::Unfit { key: "" },
            EventKind::Undecryptable { key: "", reason: "" },
            EventKind::NotAdopted { system: "", reason: "", detail: "" },
            EventKind::ForeignNotWritten { system: "", error: format_args!("") },
            EventKind::Shadowed { system: "", outcome: "" },
            EventKind::CutOff,
            EventKind::StoreUnavailable { error: format_args!("") },
            EventKind::Failed { error: format_args!("") },
            EventKind::SweepFailed { error: format_args!("") },
        ] {
            assert!(!left_out.is_audited(), "{}", left_out.name());
        }
    }
}
