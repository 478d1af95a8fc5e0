//! The state of a request: the session that it knows, and the changes that it made.

use std::sync::Arc;
use std::time::Duration;

use crate::data::snapshot::Snapshot;
use crate::engine::Engine;
use crate::engine::guard_options::GuardOptions;
use crate::engine::open::{Current, Overtaken};
use crate::engine::session::UnreadableSession;
use crate::error::SessionError;
use crate::request::changes::Changes;
use crate::request::load_user::UserOfSession;
use crate::request::operations::SeenRecord;
use crate::time::Timestamp;
use crate::token::Token;
use crate::wire::rejection::Rejection;

/// The state of a request. It is never locked across an `.await`.
#[derive(Default)]
pub(crate) struct State {
    /// The session that the request opened, or made.
    pub(crate) current: Option<Current>,
    /// The records that a login or a rotation of this request replaced, the oldest first: what was checked out before is
    /// merged from them.
    pub(crate) earlier: Vec<Option<SeenRecord>>,
    /// Sessions that the request opened at once, and that are therefore nobody's; a logout ends them all.
    pub(crate) ambiguous: Vec<Current>,
    /// The session that the request would have opened a moment ago. It begins none in its place.
    pub(crate) overtaken: Option<Box<Overtaken>>,
    /// The session that has ended at its deadline, by this server's clock; a logout ends it for all others.
    pub(crate) expired: Option<Box<Current>>,
    /// Sessions whose records this release cannot read; a logout ends them, if it has their secret.
    pub(crate) unreadable: Vec<UnreadableSession>,
    pub(crate) pending: Changes,
    pub(crate) epoch: Epoch,
    /// The user, if a caller asked who it is.
    pub(crate) user: Option<Arc<UserOfSession>>,
    pub(crate) cookie: CookieChange,
    /// The reason why nobody knows what became of the session of another system.
    pub(crate) foreign_failure: Option<SessionError>,
    /// The `Set-Cookie` headers for cookies of other systems.
    pub(crate) foreign_cookies: Vec<String>,
    /// True if the change of the cookie can wait for a later response: the token that the client has opens the session too.
    pub(crate) cookie_can_wait: bool,
    /// The idle time that the request asked for, for the session of a visitor.
    pub(crate) anonymous_ttl: Option<Duration>,
    /// True if the last login of the request asked for a lifetime of its own.
    pub(crate) lasting: bool,
    /// The rejection that the handler answered with.
    pub(crate) given: Option<Rejection>,
    /// The reason why the request cannot be answered by the handler.
    pub(crate) failure: Option<SessionError>,
    /// The reason why a struct could not be read. A login or a logout makes it good: nobody is locked out by it.
    pub(crate) unread: Option<SessionError>,
    /// The decision about those who ask for the session.
    pub(crate) verdict: Verdict,
    /// True if a guard, or an extractor that needs a user, refused the request.
    pub(crate) denied: bool,
    /// The options of the innermost guard, for requests that it refuses, and for extractors behind it that find no user.
    pub(crate) guard_options: GuardOptions,
    pub(crate) phase: Phase,
}

impl State {
    /// Returns what is stored of the session, below the changes of the request.
    pub(crate) fn stored<'a>(&'a self, engine: &'a Engine) -> Snapshot<'a> {
        let record = self.current.as_ref().map(|current| (&current.record, engine.opener(current.id())));
        self.pending.stored(record, engine.now())
    }
}

/// The progress of a request.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Phase {
    #[default]
    Handling,
    /// It is a round of a handle, and no request.
    Round,
    /// The handler has answered, or its client has left; a login may be under way.
    Ending,
    /// The changes of the request were taken, to be stored. It changes nothing any more.
    Closed,
    /// The answer can be given: it is known what the request leaves behind.
    Answered,
    /// The client left before there was an answer; nothing is stored, but logins and logouts hold.
    Left,
}

impl Phase {
    pub(crate) fn is_closed(self) -> bool {
        matches!(self, Self::Closed | Self::Answered)
    }

    /// Returns whether the handler has answered, or its client has left.
    pub(crate) fn has_answered(self) -> bool {
        !matches!(self, Self::Handling | Self::Round)
    }

    pub(crate) fn is_over(self) -> bool {
        matches!(self, Self::Answered | Self::Left)
    }

    /// Returns the phase in which it is known what the request leaves behind.
    pub(crate) fn ended(self) -> Self {
        if self.is_closed() { Self::Answered } else { Self::Left }
    }
}

/// The decision about those who ask for the session.
#[derive(Default)]
pub(crate) enum Verdict {
    /// They get it.
    #[default]
    Admitted,
    /// They get this error instead.
    Refused { error: SessionError, was_asked: bool },
    /// The request has logged in or out, after which nobody is refused.
    Forgiven,
}

impl Verdict {
    /// Refuses those who ask, unless the request has logged in or out.
    pub(crate) fn refuse(&mut self, error: SessionError) {
        if !matches!(self, Self::Forgiven) {
            *self = Self::Refused { error, was_asked: false };
        }
    }

    /// Answers a caller who asks.
    pub(crate) fn ask(&mut self) -> Result<(), SessionError> {
        match self {
            Self::Admitted | Self::Forgiven => Ok(()),
            Self::Refused { error, was_asked } => {
                *was_asked = true;
                Err(error.clone())
            }
        }
    }

    /// Returns the refusal of a caller who asked.
    pub(crate) fn objection(&self) -> Option<&SessionError> {
        match self {
            Self::Refused { error, was_asked: true } => Some(error),
            _ => None,
        }
    }
}

/// Counts what puts an end to everything that was checked out before, or gives it another record.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Epoch {
    /// Changes of user.
    pub(crate) users: u32,
    /// Removals of everything that is stored.
    pub(crate) clears: u32,
    /// Logins of an anonymous visitor, at which not everything goes.
    pub(crate) logins: u32,
    /// Logins and rotations: the record that the request had then is that of this number among the earlier ones.
    pub(crate) records: usize,
}

impl Epoch {
    /// Returns whether what was checked out at another time still belongs to the session, but for what goes at a login.
    pub(crate) fn goes_on_from(self, earlier: Self) -> bool {
        (self.users, self.clears) == (earlier.users, earlier.clears)
    }
}

/// The change that the response makes to the client's cookie.
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
