//! Ending a session for good.

use crate::error::SessionError;
use crate::event::EventKind;
use crate::record::Record;
use crate::request::{CookieChange, RequestSession};

pub(super) async fn logout(session: RequestSession) -> Result<(), SessionError> {
    session.look_up().await?;
    let _turn = session.shared.turn.lock().await;
    let engine = &session.shared.engine;
    let opened = {
        let state = session.state();
        let current = state.current.as_ref().map(|current| (current.id(), Some(current.record.clone())));
        let ambiguous = state.ambiguous.iter().map(|id| (*id, None));
        current.into_iter().chain(ambiguous).collect::<Vec<_>>()
    };
    for (id, record) in &opened {
        engine.within(&mut engine.commit_deadline(), engine.store.destroy(*id)).await?;
        session.report_of(*id, record.as_ref().map(Record::header), EventKind::Logout);
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
