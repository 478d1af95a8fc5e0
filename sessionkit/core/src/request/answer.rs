//! What a client gets whose request SessionKit answers: a person a page, a program a problem document.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::engine::hooks::Hooked;
use crate::error::SessionError;
use crate::event::{self, EventKind};
use crate::request::RequestSession;
use crate::wire::head::{RequestHead, Route};
use crate::wire::rejection::Rejection;

/// Makes the answer to a request that came to an extractor or a guard without passing the session layer of its scope, and
/// logs it: for adapters. `adapter_layer` is what to add, as one writes it: `SessionLayer::new(manager)`.
///
/// Without a layer no setting is known, so a build with debug assertions stands for the setting `dev`: there the body says
/// what to do.
pub fn missing_layer(scope: &'static str, adapter_layer: &str, head: &RequestHead<'_>) -> Rejection {
    let error = SessionError::missing_layer(scope, adapter_layer, Route::new(head));
    error.note_scope(scope);
    event::log_at(scope, head, EventKind::Failed { error: format_args!("{error}") });
    let rejection = Rejection::from(error);
    let rejection = if cfg!(debug_assertions) { rejection.explained() } else { rejection };
    rejection.addressed(head.is_navigation())
}

impl RequestSession {
    /// Keeps of the head what an answer in place of the handler's needs.
    pub(crate) fn note(&self, head: &RequestHead<'_>) {
        let (shared, hooks) = (&self.shared, &self.shared.engine.hooks);
        if shared.route.set(Route::new(head)).is_err() {
            return;
        }
        let _ = shared.is_navigation.set(head.is_navigation());
        if hooks.need_heads() {
            let _ = shared.hooked.set(Box::new(Hooked::new(head)));
        }
    }

    /// Decides about the answer in place of the handler's: `failure` is why that cannot stand. What the handler itself
    /// answered with a rejection becomes what its client can read.
    pub(crate) fn answer(&self, failure: Option<SessionError>) -> Option<Rejection> {
        if let Some(error) = failure {
            return Some(self.present(error.rejection()));
        }
        let given = self.state().given.take()?;
        if given.error().is_some_and(|error| !error.may_be_of(self.shared.engine.scope())) {
            return None;
        }
        let presented = self.present(given.clone());
        (presented != given).then_some(presented)
    }

    /// Makes of a rejection what the client of this request gets.
    pub(crate) fn present(&self, rejection: Rejection) -> Rejection {
        let error = rejection.error().cloned();
        if let Some(error) = error.as_ref().filter(|error| error.is_unreported()) {
            self.report_failure(error);
        }
        if rejection.is_final() {
            return rejection;
        }
        let engine = &self.shared.engine;
        let rejection = if engine.settings().dev { rejection.explained() } else { rejection };
        let answered = self.shared.hooked.get().and_then(|hooked| {
            let answer = || engine.hooks.rejection(rejection.clone(), &hooked.head());
            catch_unwind(AssertUnwindSafe(answer)).unwrap_or_else(|_| {
                let error = SessionError::panicked("on_rejection");
                self.report_failure(&error);
                Some(error.rejection())
            })
        });
        let rejection = answered.unwrap_or(rejection);
        let rejection = error.into_iter().fold(rejection, Rejection::because_of);
        rejection.addressed(self.shared.is_navigation.get().copied().unwrap_or(false))
    }
}
