//! Replacing the secret.

use super::in_time;
use crate::error::SessionError;
use crate::event::EventKind;
use crate::record::Record;
use crate::record::delta::{Delta, HeaderOp};
use crate::request::RequestSession;
use crate::request::state::{CookieChange, Current};
use crate::store::CommitOutcome;
use crate::time::Timestamp;
use crate::token::Token;

/// What is committed together with a new secret.
pub(super) struct Replacement {
    pub(super) delta: Delta,
    pub(super) now: Timestamp,
    /// Whether the session changes hands, so that what belongs to the user before has to go.
    pub(super) another_user: bool,
    pub(super) occasion: Occasion,
}

/// Why a secret is replaced.
#[derive(Clone, Copy, Debug)]
pub(super) enum Occasion {
    Login,
    Proof,
    Impersonation,
    EndOfImpersonation,
    Rotation,
}

impl Occasion {
    fn event(self) -> EventKind<'static> {
        match self {
            Self::Login => EventKind::Login,
            Self::Proof => EventKind::Reauthenticated,
            Self::Impersonation => EventKind::Impersonated,
            Self::EndOfImpersonation => EventKind::ImpersonationEnded,
            Self::Rotation => EventKind::Rotated,
        }
    }
}

pub(super) async fn rotate(session: RequestSession) -> Result<(), SessionError> {
    session.load().await?;
    let _turn = session.shared.turn.lock().await;
    in_time(&session)?;
    let Some(current) = session.state().current.clone() else { return Ok(()) };
    let (delta, now) = (Delta::new(), session.shared.engine.now());
    let rotation = Replacement { delta, now, another_user: false, occasion: Occasion::Rotation };
    replace_secret_or_fail(&session, current, rotation).await
}

/// Replaces the secret, or fails if the session has ended or was rotated meanwhile.
pub(super) async fn replace_secret_or_fail(
    session: &RequestSession,
    current: Current,
    replacement: Replacement,
) -> Result<(), SessionError> {
    if let Some(replaced) = replace_secret(session, current, replacement).await? {
        replaced.open(session);
        return Ok(());
    }
    // A login of this request, too, was overtaken: its token is not current any more.
    session.state().cookie = CookieChange::Keep;
    Err(SessionError::lost())
}

/// Replaces the secret; `None` if the session has ended or was rotated meanwhile.
pub(super) async fn replace_secret(
    session: &RequestSession,
    current: Current,
    replacement: Replacement,
) -> Result<Option<Replaced>, SessionError> {
    let Replacement { mut delta, now, another_user, occasion } = replacement;
    let engine = &session.shared.engine;
    let (id, generation) = (current.id(), current.record.header().generation);
    let token = Token::rotate(id, engine.tokens());
    let secret = token.secret_hash(engine.scope());
    delta.header.push(HeaderOp::Rotate { secret });
    let commit = engine.store.commit(id, generation, &delta, now);
    match engine.within(&mut engine.commit_deadline(), commit).await? {
        CommitOutcome::Committed(_) => {}
        CommitOutcome::Stale | CommitOutcome::Gone | CommitOutcome::Conflict(_) => return Ok(None),
    }
    // The store holds the same; what other requests stored meanwhile is seen when fields are committed.
    let record = current.record.applied(&delta, now)?.unwrap_or_else(|| current.record.clone());
    let before = current.record;
    let current = Current { token, secret, record };
    Ok(Some(Replaced { before, current, another_user, occasion }))
}

/// A session with another secret, of which its request does not know yet.
pub(super) struct Replaced {
    before: Record,
    current: Current,
    another_user: bool,
    occasion: Occasion,
}

impl Replaced {
    /// Makes it the session of the request.
    pub(super) fn open(self, session: &RequestSession) {
        let Self { before, current, another_user, occasion } = self;
        // The end of an impersonation is told of both, the user and the actor, who is the user afterwards.
        let told = if let Occasion::EndOfImpersonation = occasion { &before } else { &current.record };
        session.report_of(current.id(), Some(told.header()), occasion.event());
        // Under one lock: nobody may see the new user's session with the old user's changes.
        let mut state = session.state();
        if another_user {
            state.change_user();
        }
        state.opened(current);
    }
}
