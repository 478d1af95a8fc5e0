//! Events of sessions, for the log, for metrics, and for an audit trail.

mod audit;
mod entry;
mod failure;
mod kind;
mod sink;
mod timed;

use std::fmt;

pub use audit::{AuditLog, AuditSink};
pub use entry::AuditEntry;
pub(crate) use failure::tell;
pub use kind::EventKind;
pub(crate) use sink::Events;
pub use sink::{EventSink, TracingSink};
pub use timed::StoreCall;
pub(crate) use timed::Timed;

use crate::record::header::Header;
use crate::time::{Clock as _, SystemClock, Timestamp};
use crate::token::SessionId;
use crate::wire::head::{RequestHead, Route};

/// Something that happened to a session, as an [`EventSink`] gets it.
///
/// It holds no secret: no token, no cookie, no value of a field. It may hold what is personal, the user and the path.
#[derive(Clone, Copy, Debug)]
pub struct SessionEvent<'a> {
    kind: EventKind<'a>,
    at: Timestamp,
    scope: &'static str,
    about: About<'a>,
}

impl<'a> SessionEvent<'a> {
    /// The kind of the event.
    pub fn kind(&self) -> EventKind<'a> {
        self.kind
    }

    /// The time of the event, by the manager's clock.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// The name of the session scope.
    pub fn scope(&self) -> &'static str {
        self.scope
    }

    /// The session, where one is concerned. It is no secret: it opens nothing.
    pub fn session(&self) -> Option<SessionId> {
        self.about.session
    }

    /// The id of the user who is logged in; after a [`Login`](EventKind::Login) the new one, after a
    /// [`Logout`](EventKind::Logout) the one who left.
    pub fn user_id(&self) -> Option<&'a str> {
        self.about.user_id
    }

    /// The id of the user who acts as this user, under impersonation.
    pub fn actor(&self) -> Option<&'a str> {
        self.about.actor
    }

    /// The device of the session, as the login named it.
    pub fn device_label(&self) -> Option<&'a str> {
        self.about.device_label
    }

    /// The guarded handler, by its path in the program, where one is known.
    pub fn handler(&self) -> Option<&'static str> {
        self.about.handler
    }

    /// The method and the path of the request, without the query, where there is a request that used its session.
    pub fn route(&self) -> Option<&'a Route> {
        self.about.route
    }

    /// The handler, or else the route.
    pub(crate) fn place(&self) -> impl fmt::Display + use<'a> {
        Place(self.about.handler, self.about.route)
    }
}

/// The session, user and request that an event concerns, as far as they are known.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct About<'a> {
    pub(crate) session: Option<SessionId>,
    pub(crate) user_id: Option<&'a str>,
    pub(crate) actor: Option<&'a str>,
    pub(crate) device_label: Option<&'a str>,
    pub(crate) handler: Option<&'static str>,
    pub(crate) route: Option<&'a Route>,
}

impl<'a> About<'a> {
    /// Names a session, and of whom it is or was.
    pub(crate) fn session(self, id: SessionId, header: Option<&'a Header>) -> Self {
        let user_id = header.and_then(|header| header.user_id.as_deref());
        let details = header.and_then(|header| header.details.as_deref());
        let actor = details.and_then(|details| details.actor.as_deref());
        let device_label = header.and_then(|header| header.device_label.as_deref());
        Self { session: Some(id), user_id, actor, device_label, ..self }
    }
}

/// Logs what happens to a request that passed no session layer.
pub(crate) fn log_at(scope: &'static str, head: &RequestHead<'_>, kind: EventKind<'_>) {
    let route = Route::new(head);
    let about = About { route: Some(&route), ..About::default() };
    kind::trace(&SessionEvent { kind, at: SystemClock.now(), scope, about });
}

struct Place<'a>(Option<&'static str>, Option<&'a Route>);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self(Some(handler), _) => f.write_str(handler),
            Self(None, Some(route)) => route.fmt(f),
            Self(None, None) => Ok(()),
        }
    }
}
