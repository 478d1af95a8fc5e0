//! The invariants, which hold in every state. Their numbers are those of the design.

use crate::record::Record;
use crate::token::SessionId;

use super::State;
use super::commit::{counter, opens, own_field};
use super::request::{End, Issued, Outcome};
use super::scenario::{Cookie, DEADLINE, Kind, Scenario};
use super::witness::Fault;

pub(super) const P1: &str = "[P1] after a logout nothing opens its session or brings it back";
pub(super) const P2: &str = "[P2] what was acknowledged is there, once";
pub(super) const P3: &str = "[P3] after a rotation older tokens open nothing and older changes are refused";
pub(super) const P3_LOGIN: &str = "[P3] a login with valid credentials fails for a revocation alone";
pub(super) const P4: &str = "[P4] an expired session never opens again";
pub(super) const P8: &str = "[P8] every token that was given out had been stored";
pub(super) const P8_KEPT: &str = "[P8] whom nobody logs out holds a token that opens the session";
pub(super) const P9: &str = "[P9] no session survives that was authenticated before a revocation";
pub(super) const P11: &str = "[P11] a secret from before the last rotation ends nothing, and none begins a session";

type Holds = fn(&Scenario, &State) -> bool;

pub(super) const PROPERTIES: [(&str, Holds); 9] = [
    (P1, a_logout_is_for_good),
    (P2, nothing_is_lost_or_counted_twice),
    (P3, a_rotation_ends_what_was_before),
    (P3_LOGIN, logins_succeed),
    (P4, expired_is_expired),
    (P8, tokens_were_stored),
    (P8_KEPT, nobody_is_locked_out),
    (P9, a_revocation_ends_what_was_before),
    (P11, an_old_secret_is_worth_nothing),
];

impl Scenario {
    /// Returns the tokens of the beginning, and those that were given out.
    fn tokens(&self, state: &State) -> Vec<Issued> {
        let first = (0..self.sessions.len()).map(|session| self.token(session));
        first.chain(state.outcomes().filter_map(|(_, outcome)| outcome.issued)).collect()
    }

    /// Returns the sessions that tokens of this origin open.
    fn opened(&self, state: &State, origin: u8) -> Vec<Record> {
        let tokens = self.tokens(state).into_iter().filter(|issued| issued.origin == origin);
        tokens.filter_map(|issued| state.opened(issued)).collect()
    }

    /// Returns the origin of the token that a request sends.
    fn origin_of(&self, state: &State, cookie: Cookie) -> Option<u8> {
        match cookie {
            Cookie::None => None,
            Cookie::Session(session) => Some(self.token(session).origin),
            Cookie::Of(other) => Some(state.outcome(other)?.issued?.origin),
        }
    }

    /// Returns the users who are logged in or log in.
    fn users(&self) -> Vec<&'static str> {
        let logins = self.requests.iter().filter_map(|(kind, _)| match kind {
            Kind::Login(user) => Some(*user),
            _ => None,
        });
        self.sessions.iter().copied().flatten().chain(logins).collect()
    }

    fn owner(&self, origin: u8) -> Option<&'static str> {
        self.sessions.get(usize::from(origin).checked_sub(1)?).copied().flatten()
    }
}

impl State {
    /// Returns what a token opens.
    fn opened(&self, issued: Issued) -> Option<Record> {
        let record = self.entries.get(&issued.token.key())?.read::<Record>();
        opens(record.header(), issued.token, self.now).then_some(record)
    }

    fn all_ended(&self) -> bool {
        self.outcomes().count() == self.requests.len()
    }
}

fn a_logout_is_for_good(scenario: &Scenario, state: &State) -> bool {
    state.outcomes().filter_map(|(_, outcome)| outcome.ended.as_ref()).all(|(id, owner)| {
        let session = SessionId::from_bytes([*id; 16]);
        let stays = state.entries.records().any(|(key, record)| {
            let same_owner = record.header().owner().map(|owner| &**owner) == owner.as_deref();
            key.session_id() == Some(session) && same_owner
        });
        !stays && scenario.opened(state, *id).is_empty()
    })
}

fn nothing_is_lost_or_counted_twice(scenario: &Scenario, state: &State) -> bool {
    let mut records = (0..scenario.sessions.len()).flat_map(|session| {
        let origin = scenario.token(session).origin;
        // A login as another user leaves nothing of what was written before.
        let is_same_owner = move |record: &Record| record.header().owner().map(|id| &**id) == scenario.owner(origin);
        scenario.opened(state, origin).into_iter().filter(is_same_owner).map(move |record| (origin, record))
    });
    records.all(|(origin, record)| {
        let sum = counter(&record, state.now);
        scenario.requests.iter().enumerate().all(|(request, (kind, cookie))| {
            let Kind::Write { .. } = kind else { return true };
            let writes_here = scenario.origin_of(state, *cookie) == Some(origin);
            let digit = sum / 10_u32.pow(request as u32) % 10;
            let is_set = record.field(&own_field(request), state.now).is_some();
            match state.outcome(request).filter(|_| writes_here).map(|outcome| outcome.end) {
                Some(End::Done) => digit == 1 && is_set,
                Some(End::Refused) => digit == 0 && !is_set,
                _ => digit <= 1 && is_set == (digit == 1),
            }
        })
    })
}

fn a_rotation_ends_what_was_before(scenario: &Scenario, state: &State) -> bool {
    let tokens = scenario.tokens(state);
    let rotations = tokens.iter().filter_map(|issued| Some((issued.replaces?, issued.generation)));
    let mut old = rotations.flat_map(|(origin, generation)| {
        let is_old = move |token: &&Issued| token.origin == origin && token.generation < generation;
        tokens.iter().filter(is_old)
    });
    !state.witness.faults.contains(&Fault::StaleWrite) && old.all(|issued| state.opened(*issued).is_none())
}

fn logins_succeed(scenario: &Scenario, state: &State) -> bool {
    state.outcomes().all(|(request, outcome)| {
        let revokes = (0..scenario.requests.len()).any(|other| state.witness.revokes(other, request));
        match (scenario.requests[request].0, outcome.end) {
            (Kind::Login(_), End::Revoked) => revokes,
            (Kind::Login(_), end) => matches!(end, End::Done | End::Unknown),
            _ => true,
        }
    })
}

fn expired_is_expired(scenario: &Scenario, state: &State) -> bool {
    state.now < DEADLINE
        || (0..scenario.sessions.len()).all(|session| {
            let origin = scenario.token(session).origin;
            scenario.opened(state, origin).is_empty()
        })
}

fn tokens_were_stored(scenario: &Scenario, state: &State) -> bool {
    scenario.tokens(state).iter().all(|issued| state.witness.stored.contains(&issued.token))
}

fn nobody_is_locked_out(scenario: &Scenario, state: &State) -> bool {
    let ends = |(kind, _): &(Kind, _)| matches!(kind, Kind::Logout | Kind::Revoke(_) | Kind::RevokeEveryone);
    let is_unknown = |(_, outcome): (usize, &Outcome)| outcome.end == End::Unknown;
    if !state.all_ended() || scenario.expires || scenario.requests.iter().any(ends) || state.outcomes().any(is_unknown)
    {
        return true;
    }
    let tokens = scenario.tokens(state);
    // The session of a visitor goes on as that of a user.
    let continued = |origin| tokens.iter().any(|issued| issued.replaces == Some(origin) && issued.origin != origin);
    let mut origins = tokens.iter().map(|issued| issued.origin).filter(|origin| !continued(*origin));
    origins.all(|origin| !scenario.opened(state, origin).is_empty())
}

fn a_revocation_ends_what_was_before(scenario: &Scenario, state: &State) -> bool {
    let mut revoked = state.outcomes().filter_map(|(request, outcome)| match scenario.requests[request].0 {
        Kind::Revoke(user) if outcome.end == End::Done => Some((request, vec![user])),
        Kind::RevokeEveryone if outcome.end == End::Done => Some((request, scenario.users())),
        _ => None,
    });
    revoked.all(|(revocation, users)| {
        scenario.tokens(state).into_iter().all(|issued| {
            let logged_in_before = match usize::from(issued.origin).checked_sub(100) {
                Some(login) => {
                    let of_them = matches!(scenario.requests[login].0, Kind::Login(user) if users.contains(&user));
                    of_them && state.witness.revokes(revocation, login)
                }
                None => scenario.owner(issued.origin).is_some_and(|owner| users.contains(&owner)),
            };
            !logged_in_before || state.opened(issued).is_none()
        })
    })
}

fn an_old_secret_is_worth_nothing(scenario: &Scenario, state: &State) -> bool {
    let begins = state.outcomes().any(|(request, outcome)| {
        let writes = matches!(scenario.requests[request].0, Kind::Write { .. } | Kind::Renew);
        let is_new = |issued: &Issued| usize::from(issued.origin) == 100 + request;
        writes && state.witness.named & (1 << request) != 0 && outcome.issued.as_ref().is_some_and(is_new)
    });
    !begins && !state.witness.faults.contains(&Fault::Intrusion)
}
