//! Guards that a handler calls: the decision of the attribute's guard, as a function.

use std::time::Duration;

use super::decide::{Conditions, verdict};
use super::denial::deny;
use super::frames::Frames;
use super::interrupted::Interrupted;
use super::request::GuardedRequest;
use super::rules::Rules;
use super::subjects::Subjects;
use crate::engine::guard_options::GuardOptions;
use crate::error::SessionError;
use crate::request::RequestSession;
use crate::request::handle::SessionHandle;
use crate::scope::SessionScope;

impl RequestSession {
    /// Requires that a user is logged in, as `#[session(require_login)]` does.
    ///
    /// The [head must have been kept](Self::keep_head) before.
    ///
    /// # Errors
    /// Fails with the answer to the request, as [`check`](Self::check) does.
    pub async fn require_login(&self) -> Result<(), SessionError> {
        self.decide(GuardOptions::new(), |subjects: &mut Subjects<'_>| {
            subjects.require_login();
            Ok(())
        })
        .await
    }

    /// Requires that the user proved who they are less than `time` ago, as `#[session(require_fresh = ..)]` does. Whole
    /// seconds.
    ///
    /// The [head must have been kept](Self::keep_head) before.
    ///
    /// # Errors
    /// Fails with the answer to the request, as [`check`](Self::check) does.
    pub async fn require_fresh(&self, time: Duration) -> Result<(), SessionError> {
        self.decide(GuardOptions::new(), move |subjects: &mut Subjects<'_>| {
            subjects.require_fresh(time.as_secs());
            Ok(())
        })
        .await
    }

    /// Requires that rules are met, as a layer of them does.
    ///
    /// The [head must have been kept](Self::keep_head) before.
    ///
    /// # Errors
    /// Fails with the answer to the request: of the kind [`Denied`](crate::SessionErrorKind::Denied) if the rules are not
    /// met, and with the failure if that could not be decided. Fails after the response too, when a
    /// [`SessionHandle`] has to be asked.
    pub async fn check<Scope: SessionScope>(&self, rules: &Rules<Scope>) -> Result<(), SessionError> {
        let own = self.shared.engine.scope();
        if own != Scope::NAME {
            return Err(self.fail(SessionError::rules_of_another_scope(own, Scope::NAME)));
        }
        if rules.lets_everybody_pass() {
            self.mark_guarded();
            return Ok(());
        }
        self.decide(rules.options, |subjects| rules.check(subjects)).await
    }

    /// Decides by conditions. Options that they lack are those of the guard before.
    async fn decide<Scope>(
        &self,
        options: GuardOptions,
        check: impl Fn(&mut Subjects<'_, Scope>) -> Result<(), Interrupted> + Sync,
    ) -> Result<(), SessionError> {
        self.mark_guarded();
        if self.state().phase.has_answered() {
            return Err(self.fail(SessionError::late_guard()));
        }
        let head = self.kept().map_err(|error| self.fail(error))?.head.clone();
        let options = options.or(self.state().guard_options);
        let check = |request: &GuardedRequest<'_>, frames: &mut Frames| check(&mut Subjects::new(request, frames));
        let conditions = Conditions { handler: "", check: &check, options };
        match verdict(self, &head.as_head(), &conditions).await? {
            Ok(()) => Ok(()),
            Err(reason) => Err(SessionError::refused(deny(self, &head.as_head(), reason, options))),
        }
    }

    fn mark_guarded(&self) {
        if let Some(mark) = self.shared.kept.get().and_then(|kept| kept.mark.as_ref()) {
            mark.set();
        }
    }
}

impl SessionHandle {
    /// Requires that a user is logged in, in this round: see [`reload`](Self::reload).
    ///
    /// # Errors
    /// Fails as [`check`](Self::check) does.
    pub async fn require_login(&self) -> Result<(), SessionError> {
        self.round().await?.require_login().await
    }

    /// Requires that the user proved who they are less than `time` ago. Whole seconds.
    ///
    /// # Errors
    /// Fails as [`check`](Self::check) does.
    pub async fn require_fresh(&self, time: Duration) -> Result<(), SessionError> {
        self.round().await?.require_fresh(time).await
    }

    /// Requires that rules are met, as a layer of them does.
    ///
    /// # Errors
    /// Fails with the answer that a request would get: of the kind [`Denied`](crate::SessionErrorKind::Denied) if the
    /// rules are not met, also after the session's end, and with the failure if that could not be decided. Fails in the
    /// handler itself, which would wait for its own end.
    pub async fn check<Scope: SessionScope>(&self, rules: &Rules<Scope>) -> Result<(), SessionError> {
        self.round().await?.check(rules).await
    }
}
