//! The answer to those who may not.

use crate::engine::denial::Denial;
use crate::engine::guard_options::GuardOptions;
use crate::error::{DenialReason, SessionError};
use crate::event::EventKind;
use crate::panics::caught;
use crate::request::RequestSession;
use crate::wire::head::RequestHead;
use crate::wire::rejection::Rejection;

/// Refuses a request, and tells of it.
pub(super) fn deny(
    session: &RequestSession,
    head: &RequestHead<'_>,
    reason: DenialReason,
    options: GuardOptions,
) -> Rejection {
    tell(session, reason);
    answer(session, head, reason, options)
}

/// Refuses a request, and tells of it when that becomes the answer: of an extractor the handler may have asked for the
/// refusal too, as for `Option<User<U>>`.
pub(super) fn deny_when_given(
    session: &RequestSession,
    head: &RequestHead<'_>,
    reason: DenialReason,
    options: GuardOptions,
) -> Rejection {
    let denied = session.clone();
    answer(session, head, reason, options).when_given(move || tell(&denied, reason))
}

fn tell(session: &RequestSession, reason: DenialReason) {
    session.state().denied = true;
    session.report(EventKind::Denied { reason: reason.name() });
}

fn answer(session: &RequestSession, head: &RequestHead<'_>, reason: DenialReason, options: GuardOptions) -> Rejection {
    let denial =
        Denial { reason, head: *head, user: session.loaded_user_id(), engine: &session.shared.engine, options };
    let answer = || match (options.on_denied, &session.shared.engine.denials.on_denied) {
        (Some(function), _) => function(&denial),
        (None, Some(function)) => function(&denial),
        (None, None) => denial.answer(),
    };
    let answer = caught(answer).unwrap_or_else(|| {
        let error = SessionError::panicked("on_denied or login_url");
        session.report_failure(&error);
        error.rejection()
    });
    if let Some(error) = answer.error().filter(|error| error.is_unreported()) {
        session.report_failure(error);
    }
    let denied = SessionError::denied(reason);
    denied.note_scope(session.shared.engine.scope());
    answer.because_of(denied)
}
