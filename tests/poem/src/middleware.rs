//! The middleware: one session for each request.

use std::fmt;

use poem::{Endpoint, IntoResponse, Middleware, Request, Response, Result};
use sessionkit_core::adapter::{GuardMark, LayerEntry};
use sessionkit_core::{MainScope, SessionManager, SessionScope};

use crate::head::head;
use crate::rejection::{SessionRejection, from_http, response_of, to_http};

/// Gives each request its session, and stores what the handler changed: `.with(SessionMiddleware::new(manager))`.
///
/// If the request used its session, an error of the handler leaves as the response that it makes: a `catch_error` for it
/// stands inside of this middleware.
pub struct SessionMiddleware<Scope: SessionScope = MainScope> {
    manager: SessionManager<Scope>,
    withholds_unguarded: bool,
}

impl<Scope: SessionScope> SessionMiddleware<Scope> {
    /// Makes a middleware over a manager.
    pub fn new(manager: SessionManager<Scope>) -> Self {
        Self { manager, withholds_unguarded: false }
    }

    /// Withholds the answers of routes that no guard decides about.
    pub fn withhold_unguarded(self) -> Self {
        Self { withholds_unguarded: true, ..self }
    }
}

impl<Scope: SessionScope, E: Endpoint> Middleware<E> for SessionMiddleware<Scope> {
    type Output = SessionEndpoint<Scope, E>;

    fn transform(&self, inner: E) -> SessionEndpoint<Scope, E> {
        let (manager, withholds_unguarded) = (self.manager.clone(), self.withholds_unguarded);
        SessionEndpoint { inner, manager, withholds_unguarded }
    }
}

/// An endpoint inside of a [`SessionMiddleware`].
pub struct SessionEndpoint<Scope: SessionScope, E> {
    inner: E,
    manager: SessionManager<Scope>,
    withholds_unguarded: bool,
}

impl<Scope: SessionScope, E: Endpoint> Endpoint for SessionEndpoint<Scope, E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        let entered = self.manager.enter(request.data(), || head(&request));
        let LayerEntry { sessions, is_new, .. } = entered.map_err(SessionRejection::from)?;
        let session = sessions.innermost().clone();
        request.set_data(sessions);
        if self.withholds_unguarded {
            let mark = request.data().cloned().unwrap_or_default();
            session.withhold_unguarded(GuardMark::clone(&mark), &head(&request));
            request.set_data(mark);
        }
        if !is_new {
            return self.inner.call(request).await.map(IntoResponse::into_response);
        }
        // If the client leaves, this future is dropped, and the session learns of it.
        let session = session.serving();
        let answer = self.inner.call(request).await.map(IntoResponse::into_response);
        if !session.is_used() {
            return answer;
        }
        let response = to_http(answer.unwrap_or_else(response_of));
        let changes = self.manager.close(&session, &response).await;
        Ok(from_http(changes.apply(response)))
    }
}

impl<Scope: SessionScope> fmt::Debug for SessionMiddleware<Scope> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionMiddleware").field("scope", &Scope::NAME).finish_non_exhaustive()
    }
}

impl<Scope: SessionScope, E> fmt::Debug for SessionEndpoint<Scope, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionEndpoint").field("scope", &Scope::NAME).finish_non_exhaustive()
    }
}
