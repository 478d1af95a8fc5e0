//! An observer of the store, who remembers facts that no entry keeps and properties ask for.

use std::collections::{BTreeMap, BTreeSet};

use crate::record::Record;
use crate::record::front::EntryKind;
use crate::store::key::EntryKey;

use super::State;
use super::commit::opens;
use super::request::{Issued, Token};
use super::scenario::{Kind, Scenario};
use super::store::{Answer, Bytes, Call};

/// A secret, and whose the session was that it opened.
type Replaced = (u8, Option<String>);

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) struct Witness {
    /// Every token that was ever the current one of a stored session.
    pub(super) stored: BTreeSet<Token>,
    /// The secret that the last rotation of each session replaced, as its bytes changed.
    replaced: BTreeMap<u8, Replaced>,
    /// The logins that have looked at the list of their user, bit by bit.
    looked: u16,
    /// Those of them that have found a list, or begun one. One that has not is none yet for the end of everyone's sessions:
    /// nothing tells it from a login that comes later.
    listed: u16,
    /// The logins that had looked when each revocation began, or wrote the list.
    revoked: BTreeMap<usize, u16>,
    /// The requests whose token named a living session when they looked.
    pub(super) named: u16,
    /// The logouts that may end the session that their token names.
    entitled: u16,
    pub(super) faults: BTreeSet<Fault>,
}

/// A call that must never be made.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) enum Fault {
    /// A change took the place of a record of another generation.
    StaleWrite,
    /// A logout ended a session that its token did not open, nor had opened before the last rotation.
    Intrusion,
}

impl Witness {
    pub(super) fn new(scenario: &Scenario) -> Self {
        let sessions = 0..scenario.sessions.len();
        Self {
            stored: sessions.map(|session| scenario.token(session).token).collect(),
            replaced: BTreeMap::new(),
            looked: 0,
            listed: 0,
            revoked: BTreeMap::new(),
            named: 0,
            entitled: 0,
            faults: BTreeSet::new(),
        }
    }

    /// Sees a call that the store has made, and the state before it.
    pub(super) fn see(
        &mut self,
        scenario: &Scenario,
        request: usize,
        cookie: Option<Issued>,
        call: &Call,
        answer: &Answer,
        before: &State,
    ) {
        let (kind, bit) = (scenario.requests[request].0, 1 << request);
        let revokes = matches!(kind, Kind::Revoke(_) | Kind::RevokeEveryone);
        if revokes && before.has_heard_nothing(request) {
            self.revoke(request, kind);
        }
        let Some(key) = call.key() else { return };
        let held = before.entries.get(key);
        if key.kind() == EntryKind::SessionList {
            match call {
                Call::Load(_) | Call::Insert(..) if matches!(kind, Kind::Login(_)) => {
                    self.looked |= bit;
                    if *answer != Answer::Loaded(None) {
                        self.listed |= bit;
                    }
                }
                _ if revokes && *answer == Answer::Done => self.revoke(request, kind),
                _ => {}
            }
            return;
        }
        match (call, answer, held) {
            (Call::Load(key), _, Some(held)) => {
                let Some(cookie) = cookie.filter(|cookie| cookie.token.key() == *key) else { return };
                self.look(cookie.token, bit, &held.read(), before);
            }
            (Call::Insert(key, bytes), Answer::Done, _) => self.store(key, bytes),
            (Call::Replace(key, _, bytes), Answer::Done, held) => {
                self.store(key, bytes);
                let Some(held) = held else { return };
                let is_rotated = held.generation() != bytes.generation();
                if is_rotated && matches!(kind, Kind::Write { .. } | Kind::Renew) {
                    self.faults.insert(Fault::StaleWrite);
                }
                if is_rotated {
                    let (token, owner) = (current(key, held), owner(&held.read()));
                    // A generation may end without a new secret.
                    if token != current(key, bytes) {
                        self.replaced.insert(token.id, (token.secret, owner));
                    }
                }
            }
            (Call::Remove(..), Answer::Done, _) if kind == Kind::Logout && self.entitled & bit == 0 => {
                self.faults.insert(Fault::Intrusion);
            }
            _ => {}
        }
    }

    /// Returns `true` if a login had looked when a revocation began, or wrote the list.
    pub(super) fn revokes(&self, revocation: usize, login: usize) -> bool {
        self.revoked.get(&revocation).is_some_and(|revoked| revoked & (1 << login) != 0)
    }

    fn revoke(&mut self, revocation: usize, kind: Kind) {
        let logins = if kind == Kind::RevokeEveryone { self.listed } else { self.looked };
        *self.revoked.entry(revocation).or_default() |= logins;
    }

    fn look(&mut self, token: Token, bit: u16, record: &Record, before: &State) {
        let header = record.header();
        if header.is_expired(before.now) {
            return;
        }
        self.named |= bit;
        let replaced = self.replaced.get(&token.id);
        let had = replaced.is_some_and(|(secret, had)| *secret == token.secret && *had == owner(record));
        if opens(header, token, before.now) || had {
            self.entitled |= bit;
        }
    }

    fn store(&mut self, key: &EntryKey, bytes: &Bytes) {
        self.stored.insert(current(key, bytes));
    }
}

/// Returns the token that opens a session. Only in a model do its bytes tell that.
fn current(key: &EntryKey, bytes: &Bytes) -> Token {
    let id = key.session_id().map_or(0, |id| id.as_bytes()[0]);
    Token { id, secret: bytes.read::<Record>().header().secret.as_bytes()[0] }
}

fn owner(record: &Record) -> Option<String> {
    record.header().owner().map(|owner| owner.to_string())
}
