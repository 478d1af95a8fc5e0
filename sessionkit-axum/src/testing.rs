//! Unit tests of handlers (feature `testing`).

use std::fmt;

use axum_core::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderValue, Request};
use sessionkit_core::SessionScope;
use sessionkit_core::adapter::{HandlerResponse, RequestGuard};
use sessionkit_core::testing::TestSession;

use crate::extractors::SessionRejection;
use crate::request::{Slot, head};

/// A request that a test gives to a handler, which it calls as a function.
///
/// ```
/// # mod sessionkit { pub use sessionkit_axum as axum; pub use sessionkit_core::*; }
/// # use sessionkit_core::derive::*;
/// # use sessionkit_core::*;
/// # struct Cart { views: u64 }
/// # impl SessionData for Cart {
/// #     type Scope = MainScope; type Codec = Json;
/// #     const NAMESPACE: &'static str = "cart"; const FIELDS: &'static [Field] = &[];
/// #     fn decode(_: &mut FieldReader<'_>) -> Result<Self, FieldError> { Ok(Cart { views: 0 }) }
/// #     fn encode(&self, _: &mut FieldWriter) -> Result<(), FieldError> { Ok(()) }
/// # }
/// use axum::http::Request;
/// use sessionkit::axum::testing::HandlerRequest;
/// use sessionkit::axum::{Auth, Session, SessionRejection};
/// use sessionkit::testing::TestSession;
/// use sessionkit::{MemoryStore, SessionConfig, SessionManager};
///
/// async fn show(auth: Auth, mut cart: Session<Cart>) -> Result<String, SessionRejection> {
///     cart.views += 1;
///     Ok(format!("{:?} has seen this", auth.user_id().await?))
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), SessionRejection> {
/// let manager = SessionManager::new(MemoryStore::new(), SessionConfig::default());
/// let mut ada = TestSession::new(&manager).login("ada").await;
///
/// let mut request = HandlerRequest::new(&ada, Request::get("/cart").body(()).unwrap());
/// let page = show(request.extract().await?, request.extract().await?).await?;
/// request.close(&mut ada, 200).await?;
///
/// assert_eq!(page, "Some(\"ada\") has seen this");
/// # Ok(())
/// # }
/// ```
///
/// The guard of a handler is its first argument, and is extracted like the others: `show(request.extract().await?, ..)` fails
/// with the guard's answer for those whom it refuses. Arguments that have nothing to do with sessions need no request:
/// `Path(7)`.
///
/// If it is dropped before it is [closed](Self::close), it is as if the client had left: nothing is stored.
pub struct HandlerRequest {
    parts: Parts,
    /// The session, which is over when the request is.
    guard: RequestGuard,
}

impl HandlerRequest {
    /// Makes a request of a visitor, with their cookie.
    pub fn new<Scope: SessionScope, B>(session: &TestSession<Scope>, request: Request<B>) -> Self {
        let mut parts = request.into_parts().0;
        if let Ok(cookie) = HeaderValue::try_from(session.cookie())
            && !cookie.is_empty()
        {
            parts.headers.append("cookie", cookie);
        }
        let sessions = session.enter(|| head(&parts.method, &parts.uri, &parts.headers, &parts.extensions));
        let guard = sessions.innermost().clone().serving();
        let uri = parts.uri.clone();
        parts.extensions.insert(Slot { sessions, uri });
        Self { parts, guard }
    }

    /// Extracts an argument of the handler.
    ///
    /// # Errors
    /// Fails as the extractor does.
    pub async fn extract<E: FromRequestParts<()>>(&mut self) -> Result<E, E::Rejection> {
        E::from_request_parts(&mut self.parts, &()).await
    }

    /// Stores what the handler changed, as a response with this status does, and lets the visitor keep its cookies. A
    /// [`SessionHandle`](crate::SessionHandle) begins after it.
    ///
    /// # Errors
    /// Fails with the answer that takes the place of the handler's, if there is one.
    pub async fn close<Scope: SessionScope>(
        self,
        session: &mut TestSession<Scope>,
        response: impl Into<HandlerResponse>,
    ) -> Result<(), SessionRejection> {
        Ok(session.leave(&self.guard, response).await?)
    }
}

impl fmt::Debug for HandlerRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts { method, uri, .. } = &self.parts;
        f.debug_struct("HandlerRequest").field("method", method).field("path", &uri.path()).finish_non_exhaustive()
    }
}
