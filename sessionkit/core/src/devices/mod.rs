//! The sessions of a user: listed, ended, and limited in number.
//!
//! They are kept as a list under a key of its own, changed by compare-and-swap as sessions are, so every store has them.
//! What a request may do with its own session is in `auth`.
//!
//! # The protocol
//!
//! The record of a session and the list of its user lie under different keys, on different machines perhaps, and no call
//! of a store changes both. The list carries an *epoch*, a random number that changes whenever the sessions of the user
//! are ended together. A user without a list has the epoch zero. With the setting `track_devices` a login makes these
//! calls, where `*` marks those that it makes anyway:
//!
//! 1. *load* the session that the cookie names, if there is one `*`;
//! 2. *load* the list, and remember its epoch;
//! 3. *replace* the list with one that has the session, in the generation that it is about to have, on condition that the
//!    epoch is still the same. If another login came between, the newest list is taken. At a limit the oldest sessions are
//!    ended before that, one by one. If the epoch is another, the login fails;
//! 4. *replace* the record, which belongs to the user from now on `*`.
//!
//! If a call fails, the session is as it was before the login, and so is the client's cookie: nothing has to be undone,
//! which a store that fails could not do. An entry without its login may stay in the list; it is spare after a minute.
//!
//! A login without a session *inserts* its record before it adds it to the list, and *removes* it if it cannot. So does one
//! that finds its session gone, with the epoch that it remembers.
//!
//! Ending a user's sessions *loads* the list; *loads* and *removes* each session that is still the user's; and *replaces*
//! the list with an empty one of another epoch, also where there was none. If a login came between, its session is ended
//! too. A session that is not the user's, in an older generation than its entry, belongs to a login between its steps 3 and
//! 4, or to one that failed there. It is *replaced* by one of the next generation, so that step 4 is refused: its owner
//! keeps it.
//!
//! **No login outlives a revocation that began before its end.** A login that is in the list when its user's sessions are
//! ended is ended or refused. One that is not finds another epoch. So it is if a server stops half-way: sessions go before
//! the list does.
//!
//! **The limit is exact.** Only a login adds to the list, and it counts. No session that made room is alive when the new
//! token is given out.
//!
//! **No clock takes a session out of the list**: it may be ahead. A session that is gone, or another user's, is forgotten
//! when it is met. One that has expired makes room before any other, and is removed before it is forgotten.
//!
//! **A session that was ended from the list** stays there for a minute, marked, so that a login under way with its cookie
//! fails and begins no other.
//!
//! **A session of another user.** The list says of each session under which generation its user logged in. A login as
//! another user takes it out of the list of the user before, unless that one has logged in again. Nothing that the list
//! names is ended without a look at whose it is.
//!
//! **A damaged list** keeps nobody from logging in. Whoever meets it *replaces* it with an empty list of another epoch: a login
//! under way is refused, and no epoch that a revocation has made comes back. The new list remembers that it may lack sessions.
//! The next look at the user's devices, or end of them, *scans* all sessions and puts the user's into it. That goes on for
//! a minute: a login between its steps 3 and 4 has lost its entry to the damage, and is found from its step 4 on. Until then
//! the limit counts the sessions that the new list names. Ending one session by its id needs no scan.
//!
//! # What it costs
//!
//! | operation | store calls besides those without the setting |
//! |---|---|
//! | a login, a re-authentication, an elevation | 2 |
//! | a login as another user | 4 |
//! | a login at the limit | 2, and 2 for each session that makes room; one look at all of them, unless they are a thousand |
//! | a logout | 2 |
//! | a rotation, an impersonation, a renewal, a touch, a commit | 0 |
//! | a list | 2; and 1 if any session is gone |
//! | ending sessions | 2, and 2 for each |
//! | ending everyone's | a look at everything that the store holds, and the calls of each removal |

pub(crate) mod by_id;
mod damage;
pub(crate) mod entering;
pub(crate) mod everyone;
pub(crate) mod list;
pub(crate) mod list_change;
pub(crate) mod protocol;
pub(crate) mod revocations;

use crate::token::SessionId;

/// The sessions of a user that are meant.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum DeviceSelection {
    /// All of them.
    All,
    /// All but this one.
    Others(SessionId),
    /// This one alone.
    One(SessionId),
}

impl DeviceSelection {
    /// Returns whether this one is meant.
    pub(crate) fn includes(self, id: SessionId) -> bool {
        match self {
            Self::All => true,
            Self::Others(other) => id != other,
            Self::One(one) => id == one,
        }
    }
}
