//! Ending a session whose user is not the one who logged in any more.

use crate::engine::open::Overtaken;
use crate::engine::session::Removal;
use crate::error::SessionError;
use crate::event::EventKind;
use crate::request::RequestSession;
use crate::request::state::{CookieChange, State};

impl RequestSession {
    /// Does work to its end, even if the request is dropped, and reports a failure. The work first waits for the turn of
    /// the request: it is in the queue when this has been polled once, so that the end of the request awaits it.
    pub(crate) fn finish<W>(&self, work: W) -> impl Future<Output = Result<(), SessionError>> + Send + use<W>
    where
        W: Future<Output = Result<(), SessionError>> + Send + 'static,
    {
        let session = self.clone();
        let finishing = self.shared.engine.tasks.finish(async move {
            let result = work.await;
            result.inspect_err(|error| session.report_failure(error))
        });
        async move { finishing.await? }
    }
}

/// Ends the session of the request, if `is_meant` still holds of it; then nobody is logged in.
///
/// # Errors
/// Fails when the store does; then the session may go on.
pub(crate) async fn end(
    session: &RequestSession,
    is_meant: impl FnOnce(&State) -> bool + Send + 'static,
    reason: &'static str,
) -> Result<(), SessionError> {
    session.finish(end_in_turn(session.clone(), is_meant, reason)).await
}

async fn end_in_turn(
    session: RequestSession,
    is_meant: impl FnOnce(&State) -> bool,
    reason: &'static str,
) -> Result<(), SessionError> {
    let _turn = session.shared.turn.lock().await;
    let current = {
        let state = session.state();
        state.current.clone().filter(|_| is_meant(&state))
    };
    let Some(current) = current else { return Ok(()) };
    let (engine, header) = (&session.shared.engine, current.record.header());
    // Another request may have logged a user in with the same session, or the same user with other credentials, who
    // keeps it.
    let ended = engine.remove_record(current.id(), header.generation, Removal::AsSeen).await?;
    if ended {
        engine.leave(header.owner().map(|owner| &**owner), current.id(), None).await;
        session.report_of(current.id(), Some(header), EventKind::Revoked { reason });
    }
    let mut state = session.state();
    state.change_user();
    state.current = None;
    state.cookie = if ended { CookieChange::Remove } else { CookieChange::Keep };
    if !ended {
        // The cookie of a session that began now would take the place of the one that the other request gave.
        state.overtaken = Some(Box::new(Overtaken { token: current.token.clone(), replaced: None }));
    }
    Ok(())
}
