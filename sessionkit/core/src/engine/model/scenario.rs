//! The beginning of a model: sessions, and the requests that are made at once.

use std::time::Duration;

use crate::devices::list_change::{Addition, ListChange, ListChangeKind};
use crate::engine::document::{Change as _, Document as _, Step};
use crate::record::Record;
use crate::record::apply::{Applied, apply};
use crate::record::delta::{Authenticate, Delta, HeaderOp};
use crate::record::front::Generation;
use crate::record::header::Header;
use crate::record::list::{ListEpoch, ListedSession, SessionList};
use crate::store::key::EntryKey;
use crate::time::Timestamp;

use super::State;
use super::request::{Issued, SCOPE, Token};
use super::store::{Bytes, Entries};
use super::variants::Variant;

/// The time at which everything begins.
pub(super) const BEGINNING: Timestamp = Timestamp::from_unix_seconds(1_000);

/// The lifetime of sessions. No clock of a scenario moves further.
pub(super) const TTL: Duration = Duration::from_secs(600);

/// The time at which the sessions of the beginning have ended.
pub(super) const DEADLINE: Timestamp = BEGINNING.saturating_add(TTL);

/// The limit of a list: more than any scenario has.
const MOST: usize = 8;

/// The purpose of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// Adds to a counter that all share, and sets a field of its own; may renew the token with it.
    Write {
        renews: bool,
    },
    /// Renews the token, or ends the one before the last renewal.
    Renew,
    Rotate,
    Login(&'static str),
    Logout,
    /// Ends all sessions of a user.
    Revoke(&'static str),
    /// Ends all sessions of all users.
    RevokeEveryone,
}

/// The token that a client sends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Cookie {
    None,
    /// The token of a session of the beginning.
    Session(usize),
    /// The token that this request was given. The request that sends it begins after that.
    Of(usize),
}

/// The beginning of a model.
#[derive(Clone, Debug)]
pub(super) struct Scenario {
    /// The owners of the sessions that are there. The sessions of users are in their lists.
    pub(super) sessions: Vec<Option<&'static str>>,
    pub(super) requests: Vec<(Kind, Cookie)>,
    /// The number of answers that may be lost.
    pub(super) lost: u8,
    /// Set if calls that were lost may come in later.
    pub(super) strays: bool,
    /// The requests whose calls come before all others, in this order.
    pub(super) first: Vec<usize>,
    /// Set if the deadline of a request may come with a lost answer.
    pub(super) gives_up: bool,
    /// Set if the sessions of the beginning may reach their deadline.
    pub(super) expires: bool,
    pub(super) variant: Option<Variant>,
    /// Holds in some state, or else the scenario proves too little.
    pub(super) reaches: Option<Reaches>,
}

type Reaches = fn(&Scenario, &State) -> bool;

impl Scenario {
    pub(super) fn new(
        sessions: impl IntoIterator<Item = Option<&'static str>>,
        requests: impl IntoIterator<Item = (Kind, Cookie)>,
    ) -> Self {
        let (sessions, requests) = (sessions.into_iter().collect(), requests.into_iter().collect());
        Self {
            sessions,
            requests,
            lost: 0,
            strays: false,
            first: Vec::new(),
            gives_up: false,
            expires: false,
            variant: None,
            reaches: None,
        }
    }

    /// Lets so many answers be lost.
    pub(super) fn losing(self, lost: u8) -> Self {
        Self { lost, ..self }
    }

    /// Lets lost calls come in later.
    pub(super) fn straying(self) -> Self {
        Self { strays: true, ..self }
    }

    /// Lets calls of these requests come before all others. It keeps the number of states small.
    pub(super) fn after_calls_of(self, first: impl IntoIterator<Item = usize>) -> Self {
        Self { first: first.into_iter().collect(), ..self }
    }

    /// Lets the deadline of a request come with a lost answer.
    pub(super) fn giving_up(self) -> Self {
        Self { gives_up: true, ..self }
    }

    /// Lets the sessions of the beginning reach their deadline.
    pub(super) fn expiring(self) -> Self {
        Self { expires: true, ..self }
    }

    /// Asserts that some order of the calls leads to this.
    pub(super) fn reaching(self, reached: Reaches) -> Self {
        Self { reaches: Some(reached), ..self }
    }

    /// Breaks a rule of the protocol.
    pub(super) fn breaking(self, variant: Variant) -> Self {
        Self { variant: Some(variant), ..self }
    }

    /// Returns the token of a session of the beginning.
    pub(super) fn token(&self, session: usize) -> Issued {
        let number = session as u8 + 1;
        let token = Token { id: number, secret: number };
        Issued { token, generation: 0, origin: number, replaces: None }
    }

    /// Returns what is stored at the beginning.
    pub(super) fn entries(&self) -> Entries {
        let mut entries = Entries::default();
        for (session, owner) in self.sessions.iter().enumerate() {
            let token = self.token(session).token;
            let header = Header::new(token.hash(), BEGINNING, TTL, None);
            let mut record = Record::new(header).sealed(1);
            if let Some(user) = owner {
                let mut delta = Delta::new(Generation::default());
                delta.header.push(HeaderOp::Authenticate(authenticate(user, BEGINNING)));
                let Ok(Applied::Changed(draft)) = apply(&record, &delta, BEGINNING) else {
                    unreachable!("an authentication fits a new record")
                };
                record = draft.seal(2);
                let key = EntryKey::session_list(SCOPE, user);
                let held = entries.get(&key).map(|bytes| bytes.read::<SessionList>());
                let list = add(user, addition(token, Generation::default(), BEGINNING, ListEpoch::default()));
                let Step::Changed(list) = list.apply(held.as_ref(), BEGINNING) else {
                    unreachable!("a login fits a list")
                };
                entries.put(key, Bytes::of(&SessionList::seal(list, 3)));
            }
            entries.put(token.key(), Bytes::of(&record));
        }
        entries
    }
}

/// Mirrors `Login::authenticate`.
pub(super) fn authenticate(user: &str, at: Timestamp) -> Authenticate {
    let absolute_deadline = Some(at.saturating_add(TTL));
    Authenticate {
        user: user.into(),
        at,
        is_proved: true,
        ttl: TTL,
        absolute_deadline,
        device_label: None,
        details: None,
    }
}

/// Mirrors what `Engine::admit` adds to a list.
pub(super) fn addition(token: Token, generation: Generation, now: Timestamp, epoch: ListEpoch) -> Addition {
    let (id, until) = (token.session(), now.saturating_add(TTL));
    let session = ListedSession { id, is_ended: false, generation, registered: now, until };
    Addition { session, from: None, epoch, most: Some(MOST), over: Vec::new() }
}

fn add(user: &str, addition: Addition) -> ListChange {
    ListChange { empty: SessionList::new(SCOPE, user), kind: ListChangeKind::Add(addition) }
}
