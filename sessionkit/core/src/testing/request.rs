//! One request of a test session, without a server.

use super::session::TestSession;
use crate::request::RequestSession;
use crate::request::stack::SessionStack;
use crate::scope::SessionScope;
use crate::wire::head::RequestHead;
use crate::wire::rejection::Rejection;
use crate::wire::response::HandlerResponse;

/// For adapters, whose `HandlerRequest` gives a handler its arguments in a unit test.
impl<Scope: SessionScope> TestSession<Scope> {
    /// Opens the session of a request, as a layer does. The head must have the [cookie](Self::cookie).
    pub fn enter<'h>(&self, head: impl FnOnce() -> RequestHead<'h>) -> SessionStack {
        self.manager.enter(None, head).expect("no other session is there").sessions
    }

    /// Closes the session of a request, and keeps the cookies of its response.
    ///
    /// # Errors
    /// Fails with the answer that takes the place of the handler's, if there is one.
    pub async fn leave(
        &mut self,
        session: &RequestSession,
        response: impl Into<HandlerResponse>,
    ) -> Result<(), Rejection> {
        let mut changes = self.manager.close(session, response).await;
        let rejection = changes.rejection.take();
        self.keep(changes);
        rejection.map_or(Ok(()), Err)
    }
}
