//! The machine to which a check states its conditions.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use super::condition::{Answer, Condition};
use super::frames::{Frames, Operator};
use super::interrupted::{Fetch, Interrupted, PendingFetch};
use super::predicate::{Predicate, Verdict};
use super::request::GuardedRequest;
use super::subject::Findable;
use crate::scope::MainScope;

/// Takes the conditions of a [`Check`](super::Check), one after the other, and knows what they are about: a loaded
/// session. All must be met, unless an operator [has begun](Self::begin_operator).
///
/// A condition is not asked where its answer cannot change anything.
pub struct Subjects<'a, Scope = MainScope> {
    pub(super) request: &'a GuardedRequest<'a>,
    pub(super) frames: &'a mut Frames,
    scope: PhantomData<fn() -> Scope>,
}

impl<'a, Scope> Subjects<'a, Scope> {
    pub(crate) fn new(request: &'a GuardedRequest<'a>, frames: &'a mut Frames) -> Self {
        Self { request, frames, scope: PhantomData }
    }

    /// Requires that a user is logged in.
    pub fn require_login(&mut self) {
        let condition = if self.is_logged_in() { Condition::MET } else { Condition::MET_BY_LOGIN };
        self.frames.push(condition);
    }

    /// Requires that nobody is logged in.
    pub fn guest_only(&mut self) {
        if !self.is_logged_in() {
            return self.frames.push(Condition::UNMET_BY_LOGIN);
        }
        self.frames.is_for_guests |= self.frames.is_outermost();
        self.frames.push(Condition::UNMET);
    }

    /// Requires that the user proved who they are less than this many seconds ago.
    pub fn require_fresh(&mut self, seconds: u64) {
        let is_fresh = self.request.session.is_authenticated_within(Duration::from_secs(seconds));
        self.frames.push(if is_fresh { Condition::MET } else { Condition::MET_BY_LOGIN });
    }

    /// Requires that a predicate holds.
    ///
    /// # Errors
    /// Fails where something has to be awaited first, and where the predicate or the session failed.
    pub fn require<P, A, V, K>(&mut self, predicate: P) -> Result<(), Interrupted>
    where
        P: Predicate<A, V>,
        A: Findable<Scope, K>,
        V: Verdict,
    {
        self.ask(&predicate)
    }

    pub(super) fn ask<P, A, V, K>(&mut self, predicate: &P) -> Result<(), Interrupted>
    where
        P: Predicate<A, V>,
        A: Findable<Scope, K>,
        V: Verdict,
    {
        let found = if self.matters() { A::find(self)? } else { None };
        let verdict = found.map(|holder| predicate.ask(A::show(&holder)).into_verdict());
        self.answered(verdict.transpose()?);
        Ok(())
    }

    /// Begins an operator, whose operands are the conditions up to its [end](Self::end_operator).
    pub fn begin_operator(&mut self, operator: Operator) {
        self.frames.begin_operator(operator);
    }

    /// Ends the innermost operator.
    pub fn end_operator(&mut self) {
        self.frames.end_operator();
    }

    fn is_logged_in(&self) -> bool {
        self.request.session.is_logged_in()
    }

    /// Returns whether an answer can change anything: who may pass, or the answer to those who may not. The value that
    /// a condition has once a stranger has logged in is not known, whatever it is now.
    fn matters(&self) -> bool {
        !self.frames.is_decided_now() || (self.is_logged_in() && !self.frames.is_decided_after_login())
    }

    /// Lets the guard await something and check again; where the answer does not matter any more, nothing is awaited.
    pub(crate) fn fetch<T>(&self, fetch: Fetch) -> Result<Option<T>, Interrupted> {
        if self.frames.is_decided_now() { Ok(None) } else { Err(Interrupted::Pending(PendingFetch(fetch))) }
    }

    /// Adds an operand that is met or not; `None` where nobody knows.
    pub(super) fn answered(&mut self, answer: Option<bool>) {
        let Some(now) = answer.map(Answer::from) else { return self.frames.push(Condition::UNKNOWN) };
        let after_login = if self.is_logged_in() { now } else { Answer::Unknown };
        self.frames.push(Condition { now, after_login });
    }
}

impl<Scope> fmt::Debug for Subjects<'_, Scope> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subjects").field("frames", &self.frames).finish_non_exhaustive()
    }
}
