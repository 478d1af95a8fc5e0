//! Ending a session for good.

use crate::engine::session::Removal;
use crate::error::SessionError;
use crate::event::EventKind;
use crate::record::Record;
use crate::request::RequestSession;
use crate::store::error::StoreError;
use crate::token::SessionId;

pub(super) async fn logout(session: RequestSession) -> Result<(), SessionError> {
    session.look_up().await?;
    let _turn = session.shared.turn.lock().await;
    let engine = &session.shared.engine;
    let (opened, expired, unreadable) = {
        let state = session.state();
        // Whoever holds the secret from before the last rotation ends the session, if it was theirs then too.
        let overtaken = state.overtaken.iter().filter(|overtaken| {
            overtaken.is_replaced && overtaken.record.header().rotation.is_some_and(|rotation| rotation.same_owner)
        });
        let overtaken = overtaken.map(|overtaken| (overtaken.token.id(), overtaken.record.clone()));
        let opened = state.current.iter().chain(&state.ambiguous).map(|current| (current.id(), current.record.clone()));
        let opened: Vec<(SessionId, Record)> = opened.chain(overtaken).collect();
        (opened, state.expired.clone(), state.unreadable.clone())
    };
    for (id, record) in &opened {
        let header = record.header();
        let has_ended = engine.remove_record(*id, header.generation, Removal::by_owner(header)).await?;
        session.report_of(*id, Some(header), EventKind::Logout);
        // If it stays, it is another user's; its user may have logged in with it again since, and has to stay listed.
        let older_than = (!has_ended).then(|| header.generation.next());
        engine.leave(header.owner().map(|owner| &**owner), *id, older_than).await;
    }
    if let Some(expired) = expired {
        // The clock of this server may be ahead: others would open it for a while. It has been told that it expired.
        let (id, header) = (expired.id(), expired.record.header());
        if engine.remove_record(id, header.generation, Removal::by_owner(header)).await? {
            engine.leave(header.owner().map(|owner| &**owner), id, None).await;
        }
    }
    let mut ended = opened.len();
    for unreadable in unreadable.iter().filter(|unreadable| unreadable.is_theirs) {
        ended += 1;
        engine.remove_record(unreadable.id, unreadable.generation, Removal::Unreadable).await?;
        session.report_of(unreadable.id, None, EventKind::Logout);
    }
    // Only a newer release can tell whether the client may end what it wrote.
    if let Some(newer) = unreadable.iter().find(|unreadable| !unreadable.is_theirs).filter(|_| ended == 0) {
        return Err(StoreError::unreadable(newer.why).into());
    }
    session.state().log_out(session.cookie_presented());
    Ok(())
}
