//! Ending a session whose user is not the one who logged in any more.

use super::run;
use crate::error::SessionError;
use crate::event::EventKind;
use crate::record::delta::{Delta, HeaderOp};
use crate::request::RequestSession;
use crate::request::state::{CookieChange, Current, State};
use crate::store::CommitOutcome;
use crate::token::Token;

/// Ends the session of the request, where `is_meant` still holds of it; then nobody is logged in.
///
/// # Errors
/// Fails when the store does; then the session may go on.
pub(crate) async fn end(
    session: &RequestSession,
    is_meant: impl FnOnce(&State) -> bool + Send + 'static,
    reason: &'static str,
) -> Result<(), SessionError> {
    run(session, end_in_turn(session.clone(), is_meant, reason)).await
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
    let ended = destroy(&session, &current).await?;
    if ended {
        let header = current.record.header();
        session.shared.engine.leave(header.owner().map(|owner| &**owner), current.id()).await;
        session.report_of(current.id(), Some(header), EventKind::Revoked { reason });
    }
    let mut state = session.state();
    state.change_user();
    state.current = None;
    state.cookie = if ended { CookieChange::Remove } else { CookieChange::Keep };
    Ok(())
}

/// Destroys what the token opens; `false` if that is nothing any more. Another request may have logged somebody else in
/// with the same session, who keeps it: so the secret is replaced first, on condition that it is the one that is known here.
async fn destroy(session: &RequestSession, current: &Current) -> Result<bool, SessionError> {
    let engine = &session.shared.engine;
    let (id, generation) = (current.id(), current.record.header().generation);
    let secret = Token::rotate(id, engine.tokens()).secret_hash(engine.scope());
    let mut delta = Delta::new();
    delta.header.push(HeaderOp::Rotate { secret });
    let commit = engine.store.commit(id, generation, &delta, engine.now());
    match engine.within(&mut engine.commit_deadline(), commit).await? {
        CommitOutcome::Committed(_) => {}
        CommitOutcome::Stale | CommitOutcome::Gone | CommitOutcome::Conflict(_) => return Ok(false),
    }
    engine.within(&mut engine.commit_deadline(), engine.store.destroy(id)).await?;
    Ok(true)
}
