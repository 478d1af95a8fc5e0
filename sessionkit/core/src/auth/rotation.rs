//! Replacing the secret.

use std::sync::Arc;

use super::in_time;
use crate::engine::commit::CommitError;
use crate::engine::document::Refusal;
use crate::engine::open::Current;
use crate::engine::session::RecordChange;
use crate::error::SessionError;
use crate::event::EventKind;
use crate::record::Record;
use crate::record::delta::{Delta, HeaderOp};
use crate::record::header::{FormerSecret, Header};
use crate::request::RequestSession;
use crate::request::state::CookieChange;
use crate::time::Timestamp;
use crate::token::{SessionId, Token};

/// The changes that are committed together with a new secret.
pub(super) struct Replacement {
    pub(super) delta: Delta,
    pub(super) now: Timestamp,
    /// True if the session changes hands, so that what belongs to the user before has to go.
    pub(super) another_user: bool,
    pub(super) occasion: Occasion,
}

/// The reason why a secret is replaced.
#[derive(Clone, Copy, Debug)]
pub(super) enum Occasion {
    Login,
    Proof,
    Impersonation,
    EndOfImpersonation,
    Rotation,
}

impl Occasion {
    /// Returns whether the session stays with its user and actor, so that the old token may open it for a while.
    fn keeps_rights(self, current: &Current) -> bool {
        match self {
            // A visitor who logs in was nobody.
            Self::Login => current.record.header().user_id.is_some(),
            Self::Proof | Self::Rotation => true,
            Self::Impersonation | Self::EndOfImpersonation => false,
        }
    }

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
    let (delta, now) = (Delta::new(current.base().header().generation), session.shared.engine.now());
    let rotation = Replacement { delta, now, another_user: false, occasion: Occasion::Rotation };
    replace_secret_or_fail(&session, current, rotation).await?.open(&session);
    Ok(())
}

/// Replaces the secret, or fails if the session has ended or was rotated meanwhile.
pub(super) async fn replace_secret_or_fail(
    session: &RequestSession,
    current: Current,
    replacement: Replacement,
) -> Result<Replaced, SessionError> {
    if let Some(replaced) = replace_secret(session, current, replacement).await? {
        return Ok(replaced);
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
    let (id, base) = (current.id(), current.base().clone());
    let token = Token::rotate(id, engine.tokens());
    let secret = token.secret_hash(engine.scope());
    if current.is_former() {
        delta.header.insert(0, HeaderOp::TakeFormerRights);
    }
    delta.header.push(HeaderOp::Rotate { secret, at: now });
    if let Some(grace) = engine.settings().rotation_grace.filter(|_| !another_user && occasion.keeps_rights(&current)) {
        delta.header.push(HeaderOp::KeepFormer(former(&current, now.saturating_add(grace))));
    }
    let change = RecordChange::of(delta, None);
    let end = engine.commit_deadline().end();
    match engine.commit_record(id, base, change, end).await {
        Ok(record) => {
            engine.store.announce(id);
            let (before, current) = (current.record, Current::new(token, secret, record));
            Ok(Some(Replaced { before, current, another_user, occasion }))
        }
        // What cannot be read any more is nobody's session.
        Err(CommitError::Failed(error)) if error.is_of_damage() => Ok(None),
        Err(CommitError::Refused(Refusal::Failed(error)) | CommitError::Failed(error)) => Err(error),
        Err(CommitError::Refused(_)) => Ok(None),
    }
}

/// Returns what the token of the request opens after the rotation. A token that a renewal has replaced already opens nothing
/// for longer than it would have.
fn former(current: &Current, until: Timestamp) -> Arc<FormerSecret> {
    let header = current.record.header();
    let replaced = header.previous.filter(|previous| previous.secret == current.secret);
    let until = replaced.and_then(|previous| previous.until).map_or(until, |ends| ends.min(until));
    let methods = header.details.as_ref().map(|details| details.methods.clone()).unwrap_or_default();
    Arc::new(FormerSecret { secret: current.secret, until, authenticated: header.authenticated, methods })
}

/// A session with another secret, of which its request does not know yet.
pub(super) struct Replaced {
    before: Record,
    current: Current,
    another_user: bool,
    occasion: Occasion,
}

impl Replaced {
    pub(super) fn id(&self) -> SessionId {
        self.current.id()
    }

    /// Returns the header of the session as it is now.
    pub(super) fn header(&self) -> &Header {
        self.current.record.header()
    }

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
        } else if let Occasion::Login = occasion
            && before.header().user_id.is_none()
        {
            state.epoch.logins += 1;
            state.pending.log_in(session.shared.engine.settings().on_login);
        }
        state.opened(current);
    }
}
