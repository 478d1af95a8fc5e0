//! Every kind of event: its name, its data, and its line in the log. A new one is a new entry of the table below.

use std::fmt;

use super::SessionEvent;

const TARGET: &str = "sessionkit";

macro_rules! kinds {
    ($event:ident, $scope:ident, $id:ident, $handler:ident; $(
        $(#[$doc:meta])*
        $kind:ident $({ $($(#[$field_doc:meta])* $field:ident: $type:ty),* })? =
            $name:literal, $level:ident $message:literal [$($shown:ident),*];
    )*) => {
        /// The kind of an event, with what belongs to it alone. It holds no token and no value of a field.
        #[derive(Clone, Copy, Debug)]
        #[non_exhaustive]
        pub enum EventKind<'a> {
            $($(#[$doc])* $kind $({ $($(#[$field_doc])* $field: $type),* })?,)*
        }

        impl EventKind<'_> {
            /// The names of all kinds.
            pub const NAMES: &'static [&'static str] = &[$($name),*];

            /// The name of the kind, in `snake_case`, as the log has it in the field `event`.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$kind { .. } => $name,)*
                }
            }
        }

        /// Writes an event to the log.
        pub(super) fn trace($event: &SessionEvent<'_>) {
            let ($scope, $id, $handler) = ($event.scope(), Known($event.session()), $event.place());
            match $event.kind() {
                $(EventKind::$kind $({ $($field),* })? => {
                    tracing::$level!(target: TARGET, event = $name, $($shown = %$shown,)* $message);
                })*
            }
        }
    };
}

kinds! {
    event, scope, id, handler;

    /// A session came into being without a login.
    Created = "created", debug "session created" [scope, id];
    /// A user logged in.
    Login = "login", info "login" [scope, id];
    /// A session of another system was taken over.
    Adopted {
        /// The name of the system.
        system: &'a str
    } = "adopted", info "session of another system taken over" [scope, id, system];
    /// A request came with a session of another system that is not taken over.
    NotAdopted {
        /// The name of the system.
        system: &'a str,
        /// `not valid`, `ended`, `unreadable`, `one of several sessions`, `logged out before`, `ended here`, `ended with all sessions`, or
        /// `there is no such user`.
        reason: &'static str,
        /// The reason why it is unreadable, for the log; it quotes no value.
        detail: &'a str
    } = "not_adopted", info "session of another system not taken over" [scope, system, reason, detail];
    /// A session of another system was ended with ours.
    ForeignEnded {
        /// The name of the system.
        system: &'a str
    } = "foreign_ended", info "session of another system ended" [scope, system];
    /// A session of ours could not be written for another system, which does not know what changed.
    ForeignNotWritten {
        /// The name of the system.
        system: &'a str,
        /// The error, for the log.
        error: fmt::Arguments<'a>
    } = "foreign_not_written", warn "session not written for the other system" [scope, system, error];
    /// A session of another system was compared, and not taken over.
    Shadowed {
        /// The name of the system.
        system: &'a str,
        /// `it would be taken over`, `it cannot be converted`, `its user is that of the session`,
        /// `its user is another one than that of the session`, or `its store does not answer`.
        outcome: &'static str
    } = "shadowed", info "session of another system compared" [scope, system, outcome];
    /// A user proved once more who they are, or by one more method.
    Reauthenticated = "reauthenticated", info "authenticated again" [scope, id];
    /// A user begins to act as another user, who is the user of the event from then on.
    Impersonated = "impersonated", info "acting as another user" [scope, id];
    /// A user who acted as another user is themselves again.
    ImpersonationEnded = "impersonation_ended", info "no longer acting as another user" [scope, id];
    /// A session was ended by its user.
    Logout = "logout", info "logout" [scope, id];
    /// A session was ended by anyone but its user.
    Revoked {
        /// The reason: `there is no such user`, `the credentials changed after the login`,
        /// `ended from the list of devices`, `ended by an operator`, `everyone's sessions were ended`,
        /// `another login took its place`, or `its login came to nothing`.
        reason: &'static str
    } = "revoked", info "session revoked" [scope, id, reason];
    /// The token was replaced, and the old one is dead.
    Rotated = "rotated", info "token rotated" [scope, id];
    /// The token was replaced on schedule; the old one opens the session for a while.
    Renewed = "renewed", debug "token renewed" [scope, id];
    /// A request presented the token of a session that has expired, and that its store still had.
    Expired = "expired", debug "session expired" [scope, id];
    /// A request presented a token that opens nothing.
    Rejected {
        /// `malformed`, or `unknown or expired`.
        reason: &'static str
    } = "rejected", debug "session token rejected" [scope, reason];
    /// A request presented tokens of two sessions, and is therefore nobody's.
    Ambiguous = "ambiguous", warn "two valid session tokens in one request: treated as anonymous" [scope];
    /// Changes came after the session's end or after a rotation.
    WriteDiscarded {
        /// The reason: `the session ended`, `the token was rotated`, or `the token was replaced a moment ago`.
        reason: &'static str
    } = "write_discarded", warn "session changes discarded" [scope, id, handler, reason];
    /// A value that was checked out before a login as another user, a logout, or the removal of everything was changed after
    /// it.
    ContributionDiscarded {
        /// The namespace of the struct, or the key of the map.
        key: &'a str
    } = "contribution_discarded",
        warn "session changes discarded: after a logout, another user's login or a clear, check the struct out again"
        [scope, handler, key];
    /// The session was changed after the response head was sent.
    LateWrite {
        /// The namespace of the struct, or the key of the map.
        key: &'a str
    } = "late_write", error "session changes lost: the response was already sent" [scope, handler, key];
    /// A handle was dropped, or read afresh, before its changes were committed.
    Uncommitted = "uncommitted", warn "session changes discarded: the handle did not commit them" [scope, handler];
    /// A commit met the changes of another request and is tried again.
    Conflict = "conflict", debug "session conflict" [scope, id];
    /// The store shows an older state of a session than it did before, as after a failover that lost writes. What was
    /// written over the newer one is discarded.
    StoreWentBack = "store_went_back", warn "the session store went back to an older state" [scope, id];
    /// A stored value does not fit its field, which has its default.
    Unfit {
        /// The key of the field.
        key: &'a str
    } = "unfit", warn "stored session field does not fit its type: the default is used" [scope, handler, key];
    /// A stored value cannot be decrypted, and its field has its default. What is stored stays until the field is written.
    Undecryptable {
        /// The key of the field.
        key: &'a str,
        /// The reason: `its key is not in the key ring`, `it was altered, or belongs to another place`, or
        /// `a newer release encrypted it`.
        reason: &'static str
    } = "undecryptable", warn "stored session field cannot be decrypted: the default is used"
        [scope, id, handler, key, reason];
    /// A store call that had begun was dropped with its runtime: nobody knows whether it happened.
    CutOff = "cut_off", error "store call cut off: its runtime ended before it" [scope];
    /// The store failed, or did not answer in time; or what it holds of a session cannot be read.
    StoreUnavailable {
        /// The error of the store, for the log.
        error: fmt::Arguments<'a>
    } = "store_unavailable", warn "session unavailable" [scope, id, handler, error];
    /// The session could not be used for another reason than its store.
    Failed {
        /// The reason, for the log: of a field that is not `sensitive` it may quote the value.
        error: fmt::Arguments<'a>
    } = "failed", warn "the session could not be used" [scope, handler, error];
    /// A pass of [`sweep_every`](crate::SessionManager::sweep_every) failed, and the next one tries again.
    SweepFailed {
        /// The error of the store, for the log.
        error: fmt::Arguments<'a>
    } = "sweep_failed", warn "expired sessions could not be removed: the next pass tries again" [scope, error];
    /// A route answered about which no guard decided, in an application that withholds unguarded answers.
    Unguarded = "unguarded", error "route without a guard: its answer is withheld" [scope, handler];
    /// A guard refused a request, or an extractor did that needs a user, and that is the answer.
    Denied {
        /// `not logged in`, `login not fresh`, `not a guest`, or `not allowed`.
        reason: &'static str
    } = "denied", info "denied" [scope, handler, reason];
    /// A guard sends a user to the login page without the way back: the page that they asked for cannot be named there.
    NextDropped {
        /// `could lead to another site`, or `too long`.
        reason: &'static str
    } = "next_dropped", info "the login page does not learn which page was asked for" [scope, handler, reason];
    /// A request was refused as one that another site made a browser send, or a form as none of this session.
    Csrf {
        /// The reason of the [`CsrfRefusal`](crate::CsrfRefusal).
        reason: &'static str
    } = "csrf", info "cross-site request refused" [scope, handler, reason];
}

impl<'a> EventKind<'a> {
    /// The reason, for the kinds that have one of a few.
    pub fn reason(&self) -> Option<&'static str> {
        match *self {
            Self::Rejected { reason }
            | Self::NotAdopted { reason, .. }
            | Self::Shadowed { outcome: reason, .. }
            | Self::Revoked { reason }
            | Self::WriteDiscarded { reason }
            | Self::Undecryptable { reason, .. }
            | Self::Denied { reason }
            | Self::NextDropped { reason }
            | Self::Csrf { reason } => Some(reason),
            _ => None,
        }
    }

    /// The struct or the field that is concerned, by its stored name.
    pub fn key(&self) -> Option<&'a str> {
        match *self {
            Self::ContributionDiscarded { key }
            | Self::LateWrite { key }
            | Self::Unfit { key }
            | Self::Undecryptable { key, .. } => Some(key),
            _ => None,
        }
    }
}

/// Shows what is known, and nothing where it is not.
struct Known<T>(Option<T>);

impl<T: fmt::Display> fmt::Display for Known<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |known| known.fmt(f))
    }
}
