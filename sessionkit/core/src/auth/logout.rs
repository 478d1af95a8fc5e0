//! Ending a session for good.

use crate::error::SessionError;
use crate::event::EventKind;
use crate::record::Record;
use crate::record::header::Header;
use crate::request::RequestSession;

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
        let header = record.as_ref().map(Record::header);
        engine.within(&mut engine.commit_deadline(), engine.store.destroy(*id)).await?;
        session.report_of(*id, header, EventKind::Logout);
        engine.leave(header.and_then(Header::owner).map(|owner| &**owner), *id).await;
    }
    session.state().log_out(session.cookie_presented());
    Ok(())
}
