//! Ending a session for good.

use crate::error::SessionError;
use crate::event;
use crate::request::{CookieChange, Current, RequestSession};

pub(super) async fn logout(session: RequestSession) -> Result<(), SessionError> {
    session.look_up().await?;
    let _turn = session.shared.turn.lock().await;
    let engine = &session.shared.engine;
    let opened = {
        let state = session.state();
        let current = state.current.as_ref().map(Current::id);
        current.into_iter().chain(state.ambiguous.iter().copied()).collect::<Vec<_>>()
    };
    for id in &opened {
        engine.within(&mut engine.commit_deadline(), engine.store.destroy(*id)).await?;
        event::logout(engine.layer(), *id);
    }
    let had_cookie = session.cookie_presented() || !opened.is_empty();
    let mut state = session.state();
    state.change_user();
    state.forgiven = true;
    state.current = None;
    state.ambiguous.clear();
    state.cookie = if had_cookie { CookieChange::Remove } else { CookieChange::Keep };
    Ok(())
}
