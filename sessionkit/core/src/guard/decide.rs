//! Decides about a request.

use super::check::Check;
use super::condition::Answer;
use super::frames::Frames;
use super::interrupted::Interrupted;
use super::request::GuardedRequest;
use super::subjects::Subjects;
use crate::event::EventKind;
use crate::head::RequestHead;
use crate::local_path::LocalPath;
use crate::rejection::Rejection;
use crate::request::RequestSession;

/// Decides whether a request may go on to its handler, and what it gets if not.
///
/// # Errors
/// Refuses the request: a redirect to the login page or 401, 403, or a 5xx where it could not be decided.
pub async fn guard<C: Check>(session: &RequestSession, head: &RequestHead<'_>) -> Result<(), Rejection> {
    if C::IS_PUBLIC {
        return Ok(());
    }
    decide(session, head, C::HANDLER, &tell::<C>).await
}

/// Tells the conditions of a check, of whatever layer.
pub(crate) type Tell<'c> =
    dyn for<'r> Fn(&'r GuardedRequest<'r>, &'r mut Frames) -> Result<(), Interrupted> + Sync + 'c;

fn tell<'r, C: Check>(request: &'r GuardedRequest<'r>, frames: &'r mut Frames) -> Result<(), Interrupted> {
    C::check(&mut Subjects::new(request, frames))
}

/// Decides by conditions that `tell` tells.
pub(crate) async fn decide(
    session: &RequestSession,
    head: &RequestHead<'_>,
    handler: &'static str,
    tell: &Tell<'_>,
) -> Result<(), Rejection> {
    session.attach(head);
    if !handler.is_empty() {
        let _ = session.shared.handler.set(handler);
    }
    let request = GuardedRequest::new(session, *head);
    match run(&request, tell).await {
        Ok(frames) => judge(&request, &frames),
        Err(interrupted) => Err(failed(session, interrupted)),
    }
}

/// Tells the conditions until nothing is missing.
async fn run(request: &GuardedRequest<'_>, tell: &Tell<'_>) -> Result<Frames, Interrupted> {
    request.session.load().await?;
    loop {
        let mut frames = Frames::new();
        match tell(request, &mut frames) {
            Ok(()) => return Ok(frames),
            Err(Interrupted::Needs(need)) => (need.0)(request).await?,
            Err(interrupted) => return Err(interrupted),
        }
    }
}

fn judge(request: &GuardedRequest<'_>, frames: &Frames) -> Result<(), Rejection> {
    let condition = frames.value();
    if condition.now == Answer::Met {
        return Ok(());
    }
    let session = request.session;
    session.state().denied = true;
    if condition.after_login == Answer::Unmet {
        session.report(EventKind::Denied { reason: "not allowed" });
        return Err(Rejection::new(403, "You are logged in, but not allowed to do this."));
    }
    Err(login_required(session, request.head()))
}

fn failed(session: &RequestSession, interrupted: Interrupted) -> Rejection {
    match interrupted {
        Interrupted::Session(error) => error.rejection(),
        Interrupted::Failed(reason) => {
            session.report(EventKind::Failed { error: format_args!("{reason}") });
            undecided()
        }
        // Nothing leaves the loop with a need.
        Interrupted::Needs(_) => undecided(),
    }
}

fn undecided() -> Rejection {
    Rejection::new(500, "It could not be decided whether you may do this.")
}

/// The answer to somebody who is not logged in, also where an extractor needs a user.
pub(crate) fn login_required(session: &RequestSession, head: &RequestHead<'_>) -> Rejection {
    session.report(EventKind::Denied { reason: "not logged in" });
    if !head.is_navigation() {
        return Rejection::new(401, "Please log in.");
    }
    // Only a page that can be asked for again is worth coming back to.
    let returns = matches!(head.method(), "GET" | "HEAD");
    let next = if returns { LocalPath::parse(head.target()) } else { None };
    Rejection::login(&session.shared.engine.settings().login_url, next.as_ref())
}
