//! A model of the protocol, checked in every order in which the calls of some requests can reach a store.
//!
//! The state is a store of four atomic calls and what each request has heard from it. A request computes with the real
//! functions: [`apply`](crate::record::apply::apply) behind `RecordChange`, `ListChange`, and the choice of what a removal
//! ends. The order of its calls is written down here once more, function by function as the engine has it, since the
//! engine's own functions await a runtime and a clock. A crash needs no step of its own: a request may stop being served
//! anywhere, and the properties hold in every state.
//!
//! Each rule of the protocol that is there for a reason can be broken by a [`Variant`](variants::Variant). Each of them is
//! found out, so the model is able to see what it looks for.
//!
//! The model knows no queue: its requests meet as those of different processes do. `commit` has tests of the queue.

use std::fmt::Debug;
use std::sync::Arc;

use stateright::{Model, Property};

use crate::time::Timestamp;

use self::properties::PROPERTIES;
use self::request::{Heard, Issued, Outcome, Request};
use self::scenario::{BEGINNING, Cookie, DEADLINE, Scenario};
use self::store::{Answer, Call, Entries};
use self::variants::Variant;
use self::witness::Witness;

mod auth;
mod commit;
mod devices;
mod properties;
mod request;
mod scenario;
mod scenarios;
mod store;
mod variants;
mod witness;

/// The progress of a request.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Progress {
    /// The request begins once its client has a token.
    Waiting,
    Asking {
        cookie: Option<Issued>,
        began: Timestamp,
        heard: Arc<Vec<Heard>>,
        call: Call,
    },
    Ended(Outcome),
}

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
struct State {
    entries: Entries,
    requests: Vec<Progress>,
    now: Timestamp,
    /// The number of answers that may still be lost.
    losses: u8,
    witness: Witness,
    /// Calls that were lost on their way, and may come in any time.
    stray: Vec<(usize, Call)>,
}

impl State {
    fn outcome(&self, request: usize) -> Option<&Outcome> {
        match &self.requests[request] {
            Progress::Ended(outcome) => Some(outcome),
            _ => None,
        }
    }

    fn has_heard_nothing(&self, request: usize) -> bool {
        matches!(&self.requests[request], Progress::Asking { heard, .. } if heard.is_empty())
    }

    fn outcomes(&self) -> impl Iterator<Item = (usize, &Outcome)> {
        (0..self.requests.len()).filter_map(|request| Some((request, self.outcome(request)?)))
    }
}

/// The fate of one call of a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fate {
    Answered,
    /// The call is made, and its answer is lost.
    AnswerLost,
    /// The call is lost on its way, or comes in later.
    CallLost,
    /// The call is made twice, and the second answer is heard.
    Doubled,
    /// The call is made, and the request hears nothing before its deadline.
    MadeLate,
    /// The call is lost or comes in later, and the request hears nothing before its deadline.
    LostLate,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Action {
    /// The next call of a request.
    Call(usize, Fate),
    /// A call comes in that was lost on its way. Nobody hears the answer.
    ComeIn(usize),
    /// The sessions of the beginning reach their deadline.
    Expire,
    /// The store forgets what has expired.
    Sweep,
}

impl Scenario {
    /// Lets a request run until it waits or ends.
    fn advance(&self, request: usize, cookie: Option<Issued>, began: Timestamp, heard: Vec<Heard>) -> Progress {
        match Request::run(self, request, cookie, began, &heard) {
            Ok(outcome) => Progress::Ended(outcome),
            Err(call) => Progress::Asking { cookie, began, heard: Arc::new(heard), call },
        }
    }

    /// Begins the requests whose clients have got the token that they send.
    fn begin(&self, state: &mut State) {
        for (request, (_, cookie)) in self.requests.iter().enumerate() {
            if state.requests[request] != Progress::Waiting {
                continue;
            }
            let cookie = match cookie {
                Cookie::None => None,
                Cookie::Session(session) => Some(self.token(*session)),
                Cookie::Of(other) => match state.outcome(*other).and_then(|outcome| outcome.issued) {
                    Some(issued) => Some(issued),
                    None => continue,
                },
            };
            state.requests[request] = self.advance(request, cookie, state.now, Vec::new());
        }
    }
}

impl Model for Scenario {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let requests = vec![Progress::Waiting; self.requests.len()];
        let (entries, witness) = (self.entries(), Witness::new(self));
        let mut state = State { entries, requests, now: BEGINNING, losses: self.lost, witness, stray: Vec::new() };
        self.begin(&mut state);
        for request in &self.first {
            state = self.next_state(&state, Action::Call(*request, Fate::Answered)).expect("it has a call to make");
        }
        vec![state]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (request, progress) in state.requests.iter().enumerate() {
            let Progress::Asking { call, .. } = progress else { continue };
            actions.push(Action::Call(request, Fate::Answered));
            if state.losses > 0 && call.writes() {
                actions
                    .extend([Fate::AnswerLost, Fate::CallLost, Fate::Doubled].map(|fate| Action::Call(request, fate)));
                if self.gives_up {
                    actions.extend([Fate::MadeLate, Fate::LostLate].map(|fate| Action::Call(request, fate)));
                }
            }
        }
        actions.extend((0..state.stray.len()).map(Action::ComeIn));
        if self.expires {
            actions.push(if state.now < DEADLINE { Action::Expire } else { Action::Sweep });
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = last.clone();
        match action {
            Action::Expire => state.now = DEADLINE,
            Action::Sweep => {
                let expired =
                    |(key, record): (_, crate::record::Record)| record.header().is_expired(state.now).then_some(key);
                let expired: Vec<_> = state.entries.records().filter_map(expired).collect();
                expired.iter().for_each(|key| state.entries.forget(key));
            }
            Action::ComeIn(stray) => {
                let (request, call) = state.stray.remove(stray);
                let answer = state.entries.perform(&call, self.variant == Some(Variant::Upserts));
                state.witness.see(self, request, None, &call, &answer, last);
            }
            Action::Call(request, fate) => {
                let Progress::Asking { cookie, began, heard, call } = &last.requests[request] else { return None };
                let made = !matches!(fate, Fate::CallLost | Fate::LostLate);
                let upserts = self.variant == Some(Variant::Upserts);
                let mut answer = made.then(|| state.entries.perform(call, upserts));
                if let Some(answer) = &answer {
                    state.witness.see(self, request, *cookie, call, answer, last);
                }
                if fate == Fate::Doubled {
                    answer = Some(state.entries.perform(call, upserts));
                }
                let answer = match (fate, answer) {
                    (Fate::Answered | Fate::Doubled, Some(answer)) => answer,
                    (Fate::AnswerLost | Fate::CallLost, _) => Answer::Lost,
                    _ => Answer::Late,
                };
                if self.strays && matches!(fate, Fate::CallLost | Fate::LostLate) {
                    state.stray.push((request, call.clone()));
                }
                state.losses -= u8::from(fate != Fate::Answered);
                let mut heard = heard.to_vec();
                heard.push(Heard { answer, at: state.now });
                state.requests[request] = self.advance(request, *cookie, *began, heard);
                self.begin(&mut state);
            }
        }
        (state != *last).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let reached = self.reaches.map(|reached| Property::sometimes("it comes to this", reached));
        PROPERTIES.iter().map(|(name, holds)| Property::always(name, *holds)).chain(reached).collect()
    }
}
