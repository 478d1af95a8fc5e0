//! Decides about a request.

use super::check::Check;
use super::condition::{Answer, Condition};
use super::denial::{deny, deny_when_given};
use super::frames::Frames;
use super::interrupted::Interrupted;
use super::request::GuardedRequest;
use super::subjects::Subjects;
use crate::engine::guard_options::GuardOptions;
use crate::error::{DenialReason, SessionError};
use crate::panics::caught;
use crate::request::RequestSession;
use crate::wire::head::RequestHead;
use crate::wire::rejection::Rejection;

/// Decides whether a request may go on to its handler, and what it gets if not. Looks at nothing if `C` is public.
///
/// The guard of an adapter sets the request's [`GuardMark`](crate::adapter::GuardMark) first, and runs before every other
/// extractor.
///
/// # Errors
/// Refuses the request: a redirect to the login page or 401, 403, or a 5xx where it could not be decided.
pub async fn guard<C: Check>(session: &RequestSession, head: &RequestHead<'_>) -> Result<(), Rejection> {
    if C::IS_PUBLIC {
        return Ok(());
    }
    decide(session, head, &Conditions { handler: C::HANDLER, check: &check::<C>, options: C::options() }).await
}

/// The conditions of a guard, whatever its scope.
pub(crate) struct Conditions<'c> {
    /// The handler, if it is known.
    pub(crate) handler: &'static str,
    pub(crate) check: &'c CheckFn<'c>,
    pub(crate) options: GuardOptions,
}

/// States the conditions of a check.
pub(crate) type CheckFn<'c> =
    dyn for<'r> Fn(&'r GuardedRequest<'r>, &'r mut Frames) -> Result<(), Interrupted> + Sync + 'c;

fn check<'r, C: Check>(request: &'r GuardedRequest<'r>, frames: &'r mut Frames) -> Result<(), Interrupted> {
    C::check(&mut Subjects::new(request, frames))
}

/// Decides by conditions.
pub(crate) async fn decide(
    session: &RequestSession,
    head: &RequestHead<'_>,
    conditions: &Conditions<'_>,
) -> Result<(), Rejection> {
    session.state().guard_options = conditions.options;
    match verdict(session, head, conditions).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(reason)) => Err(deny(session, head, reason, conditions.options)),
        Err(error) => Err(error.rejection()),
    }
}

/// Decides without an answer.
pub(super) async fn verdict(
    session: &RequestSession,
    head: &RequestHead<'_>,
    conditions: &Conditions<'_>,
) -> Result<Verdict, SessionError> {
    session.attach(head);
    if !conditions.handler.is_empty() {
        let _ = session.shared.handler.set(conditions.handler);
    }
    let request = GuardedRequest::new(session, *head);
    decide_with(&request, conditions.check).await.map_err(|interrupted| failed(session, interrupted))
}

/// The decision whether a request may pass, with the reason if it may not.
pub(super) type Verdict = Result<(), DenialReason>;

/// Checks the conditions until nothing is missing.
pub(super) async fn decide_with(request: &GuardedRequest<'_>, check: &CheckFn<'_>) -> Result<Verdict, Interrupted> {
    request.session.load().await?;
    loop {
        let mut frames = Frames::new();
        // Predicates are the application's.
        let checked = caught(|| check(request, &mut frames));
        match checked.unwrap_or_else(|| Err(SessionError::panicked("a predicate").into())) {
            Ok(()) => return Ok(judge(request, &frames)),
            Err(Interrupted::Pending(fetch)) => (fetch.0)(request).await?,
            Err(interrupted) => return Err(interrupted),
        }
    }
}

fn judge(request: &GuardedRequest<'_>, frames: &Frames) -> Verdict {
    let Condition { now, after_login } = frames.value();
    let is_logged_in = request.session.is_logged_in();
    match (now, after_login) {
        (Answer::Met, _) => Ok(()),
        (_, Answer::Unmet) if is_logged_in && frames.is_for_guests => Err(DenialReason::GuestOnly),
        (_, Answer::Unmet) => Err(DenialReason::NotAllowed),
        _ if is_logged_in => Err(DenialReason::FreshLoginRequired),
        _ => Err(DenialReason::LoginRequired),
    }
}

fn failed(session: &RequestSession, interrupted: Interrupted) -> SessionError {
    let error = match interrupted {
        Interrupted::Session(error) => error,
        Interrupted::Failed(cause) => SessionError::guard_failed(cause),
        // Nothing leaves the loop with a pending fetch.
        Interrupted::Pending(_) => SessionError::guard_failed("something is needed that nobody loads".into()),
    };
    if error.is_unreported() {
        session.report_failure(&error);
    }
    error
}

/// The answer to a visitor who is not logged in, if an extractor needs a user: that of the guard before it, if there is
/// one.
pub(super) fn login_required(session: &RequestSession, head: &RequestHead<'_>) -> Rejection {
    let options = session.state().guard_options;
    deny_when_given(session, head, DenialReason::LoginRequired, options)
}
