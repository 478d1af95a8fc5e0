//! The answers that SessionKit itself gives: a page to a person, a problem document to a program.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::engine::hooks::Hooked;
use crate::error::SessionError;
use crate::event::{self, EventKind};
use crate::request::{RequestSession, Shared};
use crate::wire::head::{Purpose, RequestHead, Route};
use crate::wire::rejection::Rejection;

/// The parts of a request's head that are kept.
pub(crate) struct NotedHead {
    route: Route,
    /// True if a person is opening a page.
    is_navigation: bool,
    /// True if nobody sees the response.
    is_unseen: bool,
    /// True if the request came over plain http to a loopback host, as far as that is still of interest.
    is_plain_loopback: bool,
    /// The data for hooks; `None` if there are none.
    hooked: Option<Box<Hooked>>,
}

impl Shared {
    pub(crate) fn route(&self) -> Option<&Route> {
        self.noted.get().map(|noted| &noted.route)
    }

    pub(crate) fn hooked(&self) -> Option<&Hooked> {
        self.noted.get()?.hooked.as_deref()
    }
}

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
    /// Keeps of the head what an answer in place of the handler's needs; only the first call reads it.
    pub(crate) fn note(&self, head: &RequestHead<'_>) {
        self.shared.noted.get_or_init(|| {
            let Purpose { is_navigation, is_unseen } = head.purpose();
            NotedHead {
                route: Route::new(head),
                is_navigation,
                is_unseen,
                is_plain_loopback: self.shared.engine.lost_cookies.is_open() && head.is_plain_loopback(),
                hooked: self.shared.engine.hooks.need_heads().then(|| Box::new(Hooked::new(head))),
            }
        });
    }

    /// Returns whether nobody sees the response, as far as the head of the request is known.
    pub(crate) fn is_unseen(&self) -> bool {
        self.shared.noted.get().is_some_and(|noted| noted.is_unseen)
    }

    /// Takes note of a session that begins: the log says once that its cookie may never come back.
    pub(crate) fn note_begun(&self) {
        let engine = &self.shared.engine;
        let is_plain = || self.shared.noted.get().is_some_and(|noted| noted.is_plain_loopback);
        if !self.cookie_presented() && engine.lost_cookies.is_open() && is_plain() && engine.lost_cookies.begun() {
            tracing::warn!(
                target: "sessionkit",
                event = "cookie_not_returned",
                scope = %engine.scope(),
                cookie = %engine.settings().cookie_name,
                "sessions begin, and no request has brought a cookie back: it is `Secure`, and requests seem to come over plain \
                 http, where clients drop it; use https, or the setting `dev` for development on localhost"
            );
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
        let answered = self.shared.hooked().and_then(|hooked| {
            let answer = || engine.hooks.rejection(rejection.clone(), &hooked.head());
            catch_unwind(AssertUnwindSafe(answer)).unwrap_or_else(|_| {
                let error = SessionError::panicked("on_rejection");
                self.report_failure(&error);
                Some(error.rejection())
            })
        });
        let rejection = answered.unwrap_or(rejection);
        let rejection = error.into_iter().fold(rejection, Rejection::because_of);
        rejection.addressed(self.shared.noted.get().is_some_and(|noted| noted.is_navigation))
    }
}
