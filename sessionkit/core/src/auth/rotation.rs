//! Replacing the secret.

use super::in_time;
use crate::delta::{Delta, HeaderOp};
use crate::error::SessionError;
use crate::event::EventKind;
use crate::request::{CookieChange, Current, RequestSession};
use crate::store::CommitOutcome;
use crate::time::Timestamp;
use crate::token::Token;

pub(super) async fn rotate(session: RequestSession) -> Result<(), SessionError> {
    session.load().await?;
    let _turn = session.shared.turn.lock().await;
    in_time(&session)?;
    let Some(current) = session.state().current.clone() else { return Ok(()) };
    let now = session.shared.engine.now();
    if replace_secret(&session, current, Delta::new(), now, false).await? {
        return Ok(());
    }
    // A login of this request, too, was overtaken: its token is not current any more.
    session.state().cookie = CookieChange::Keep;
    Err(SessionError::lost())
}

/// Commits `delta` together with a new secret; `false` if the session has ended or was rotated meanwhile.
pub(super) async fn replace_secret(
    session: &RequestSession,
    current: Current,
    mut delta: Delta,
    now: Timestamp,
    another_user: bool,
) -> Result<bool, SessionError> {
    let engine = &session.shared.engine;
    let (id, generation) = (current.id(), current.record.header().generation);
    let token = Token::rotate(id, engine.tokens());
    let secret = token.secret_hash(engine.layer());
    delta.header.push(HeaderOp::Rotate { secret });
    let commit = engine.store.commit(id, generation, &delta, now);
    match engine.within(&mut engine.commit_deadline(), commit).await? {
        CommitOutcome::Committed(_) => {}
        CommitOutcome::Stale | CommitOutcome::Gone | CommitOutcome::Conflict(_) => return Ok(false),
    }
    // The store holds the same; what other requests stored meanwhile is seen when fields are committed.
    let record = current.record.applied(&delta, now)?.unwrap_or(current.record);
    let kind = match &*delta.header {
        [HeaderOp::Authenticate(_), ..] => EventKind::Login,
        _ => EventKind::Rotated,
    };
    session.report_of(id, record.header().user.as_deref(), kind);
    // Under one lock: nobody may see the new user's session with the old user's changes.
    let mut state = session.state();
    if another_user {
        state.change_user();
    }
    state.opened(Current { token, secret, record });
    Ok(true)
}
