//! Acting as another user, without becoming them.

use std::sync::Arc;

use super::rotation::{self, Occasion, Replacement};
use super::{in_time, step_up};
use crate::error::SessionError;
use crate::record::delta::{Clear, Delta, HeaderOp};
use crate::record::details::LoginDetails;
use crate::request::RequestSession;

pub(super) async fn begin(session: RequestSession, user: Arc<str>) -> Result<(), SessionError> {
    let _turn = session.shared.turn.lock().await;
    session.load().await?;
    // Nobody becomes a user who is not there: the next page would end the session.
    if session.is_logged_in() && !session.may_be_user(&user).await? {
        return Err(SessionError::no_such_user());
    }
    act(&session, Occasion::Impersonation, |details, myself| match details.actor.replace(myself) {
        Some(_) => Err(SessionError::acting()),
        None => Ok(Some(user)),
    })
    .await
}

pub(super) async fn end(session: RequestSession) -> Result<(), SessionError> {
    let _turn = session.shared.turn.lock().await;
    session.load().await?;
    act(&session, Occasion::EndOfImpersonation, |details, _| Ok(details.actor.take())).await
}

/// Changes the user to whom `choose` names, given the details and the user, if it names one. It is this request's turn.
async fn act(
    session: &RequestSession,
    occasion: Occasion,
    choose: impl FnOnce(&mut LoginDetails, Arc<str>) -> Result<Option<Arc<str>>, SessionError>,
) -> Result<(), SessionError> {
    in_time(session)?;
    let (current, myself) = step_up::logged_in(session)?;
    let mut details = current.record.header().details.as_deref().cloned().unwrap_or_default();
    let Some(user) = choose(&mut details, myself)? else { return Ok(()) };
    let mut delta = Delta::new(current.base().header().generation);
    delta.header.push(HeaderOp::ActAs { user, details: details.shared() });
    delta.clear = Clear::AllButCarried;
    let now = session.shared.engine.now();
    let change = Replacement { delta, now, another_user: true, occasion };
    rotation::replace_secret_or_fail(session, current, change).await?.open(session);
    Ok(())
}
