//! The sessions of a request that passes several layers.

use std::sync::Arc;

use crate::engine::Engine;
use crate::error::SessionError;
use crate::request::RequestSession;
use crate::request::unguarded::GuardMark;
use crate::scope::SessionScope;
use crate::wire::head::RequestHead;
use crate::wire::rejection::Rejection;

/// The sessions that the layers around a handler opened, as an adapter keeps them among the extensions of a request.
///
/// [`SessionManager::enter`](crate::SessionManager::enter) makes one for each layer, with the one that it finds there. Cheap
/// to clone.
#[derive(Clone, Debug)]
pub struct SessionStack {
    innermost: RequestSession,
    outer: Option<Arc<SessionStack>>,
}

impl SessionStack {
    /// Returns the session of the innermost layer.
    pub fn innermost(&self) -> &RequestSession {
        &self.innermost
    }

    /// Returns the session of a scope; of several layers of one scope, that of the innermost.
    pub fn of_scope<Scope: SessionScope>(&self) -> Option<&RequestSession> {
        self.sessions().find(|session| session.shared.engine.scope() == Scope::NAME)
    }

    /// The sessions, the innermost first.
    fn sessions(&self) -> impl Iterator<Item = &RequestSession> {
        std::iter::successors(Some(self), |stack| stack.outer.as_deref()).map(|stack| &stack.innermost)
    }
}

/// The outcome of a request's entry into a layer, from [`SessionManager::enter`](crate::SessionManager::enter).
#[derive(Debug)]
#[non_exhaustive]
pub struct LayerEntry {
    /// The sessions, with that of the layer innermost.
    pub sessions: SessionStack,
    /// True if the layer opened its session, and has to close it. If a layer was added twice, the outer one does.
    pub is_new: bool,
}

impl LayerEntry {
    /// Enters a layer of `engine`'s manager; see [`SessionManager::enter`](crate::SessionManager::enter).
    pub(crate) fn new<'h>(
        engine: &Arc<Engine>,
        outer: Option<&SessionStack>,
        head: impl FnOnce() -> RequestHead<'h>,
    ) -> Result<Self, Rejection> {
        let cookie = &engine.settings().cookie_name;
        for session in outer.into_iter().flat_map(SessionStack::sessions) {
            let other = &session.shared.engine;
            if engine.is_same_manager(other) {
                return Ok(Self { sessions: push(session.clone(), outer), is_new: false });
            }
            if *cookie == other.settings().cookie_name {
                mark_decided(outer);
                let refused = RequestSession::new(engine.for_request());
                refused.note(&head());
                return Err(
                    refused.present(SessionError::one_cookie(cookie, other.scope(), engine.scope()).rejection())
                );
            }
        }
        let session = RequestSession::new(engine.for_request());
        if engine.settings().save_uninitialized {
            session.attach(&head());
        }
        Ok(Self { sessions: push(session, outer), is_new: true })
    }
}

fn push(innermost: RequestSession, outer: Option<&SessionStack>) -> SessionStack {
    SessionStack { innermost, outer: outer.cloned().map(Arc::new) }
}

/// Says that the route of a refused request is not one that nobody guards.
fn mark_decided(outer: Option<&SessionStack>) {
    let sessions = outer.into_iter().flat_map(SessionStack::sessions);
    sessions.filter_map(|session| session.shared.guard_mark.get()).for_each(GuardMark::set);
}
