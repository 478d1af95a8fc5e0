//! What a request knows of its session, and did to it.

use std::sync::Arc;

use crate::engine::guard_options::GuardOptions;
use crate::engine::open::{Current, Overtaken};
use crate::engine::session::UnreadableSession;
use crate::error::SessionError;
use crate::request::changes::Changes;
use crate::request::load_user::UserOfSession;
use crate::time::Timestamp;
use crate::token::Token;
use crate::wire::rejection::Rejection;

/// What the request knows and did. Never locked across an `.await`.
#[derive(Default)]
pub(crate) struct State {
    /// The session that the request opened, or made.
    pub(crate) current: Option<Current>,
    /// Sessions that the request opened at once, and that are therefore nobody's; a logout ends them all.
    pub(crate) ambiguous: Vec<Current>,
    /// The session that the request would have opened a moment ago. It begins none in its place.
    pub(crate) overtaken: Option<Overtaken>,
    /// Sessions whose records this release cannot read; a logout ends them.
    pub(crate) unreadable: Vec<UnreadableSession>,
    pub(crate) pending: Changes,
    pub(crate) epoch: Epoch,
    /// The user, where somebody asked who it is.
    pub(crate) user: Option<Arc<UserOfSession>>,
    pub(crate) cookie: CookieChange,
    /// Whether the last login of the request asked for a lifetime of its own.
    pub(crate) lasting: bool,
    /// The rejection that the handler answered with.
    pub(crate) given: Option<Rejection>,
    /// Why the request cannot be answered by the handler.
    pub(crate) failure: Option<SessionError>,
    /// Why whoever asks for the session is refused.
    pub(crate) refusal: Option<SessionError>,
    /// Whether somebody asked, and was refused.
    pub(crate) refused: bool,
    /// Whether the request has logged in or out, after which nobody is refused.
    pub(crate) forgiven: bool,
    pub(crate) denied: bool,
    /// What the innermost guard does with those whom it refuses, and whoever asks for a user behind it.
    pub(crate) guard_options: GuardOptions,
    pub(crate) closed: bool,
    /// Whether the end of the request has begun.
    pub(crate) ending: bool,
    /// Whether it is known what the request leaves behind.
    pub(crate) ended: bool,
    /// Whether it is a round of a handle, and no request.
    pub(crate) round: bool,
}

/// Counts what puts an end to everything that was checked out before.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Epoch {
    /// Changes of user.
    pub(crate) users: u32,
    /// Removals of everything that is stored.
    pub(crate) clears: u32,
}

/// What the response does to the client's cookie.
#[derive(Clone, Default)]
pub(crate) enum CookieChange {
    #[default]
    Keep,
    Set {
        token: Token,
        ends: Timestamp,
    },
    Remove,
}
