//! Unit tests of handlers (feature `testing`).

use std::fmt;

use actix_web::dev::Payload;
use actix_web::test::TestRequest;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use sessionkit_core::SessionScope;
use sessionkit_core::adapter::{HandlerResponse, RequestGuard};
use sessionkit_core::testing::TestSession;

use crate::extractors::SessionRejection;
use crate::request::{HeaderLines, head};

/// A request that a test gives to a handler, which it calls as a function.
///
/// ```
/// # mod sessionkit { pub use sessionkit_actix as actix; pub use sessionkit_core::*; }
/// # use sessionkit_core::derive::*;
/// # use sessionkit_core::*;
/// # struct Cart { views: u64 }
/// # impl SessionData for Cart {
/// #     type Scope = MainScope; type Codec = Json;
/// #     const NAMESPACE: &'static str = "cart"; const FIELDS: &'static [Field] = &[];
/// #     fn decode(_: &mut FieldReader<'_>) -> Result<Self, FieldError> { Ok(Cart { views: 0 }) }
/// #     fn encode(&self, _: &mut FieldWriter) -> Result<(), FieldError> { Ok(()) }
/// # }
/// use actix_web::test::TestRequest;
/// use sessionkit::actix::testing::HandlerRequest;
/// use sessionkit::actix::{Auth, Session, SessionRejection};
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
/// let mut request = HandlerRequest::new(&ada, TestRequest::get().uri("/cart"));
/// let page = show(request.extract().await?, request.extract().await?).await?;
/// request.close(&mut ada, 200).await?;
///
/// assert_eq!(page, "Some(\"ada\") has seen this");
/// # Ok(())
/// # }
/// ```
///
/// The attribute makes one argument of all of a handler's, the guard around it: `show(request.extract().await?)` extracts
/// them all, a [`Path`](actix_web::web::Path) of the request's `param` included, and fails with the guard's answer for those
/// whom it refuses.
///
/// If it is dropped before it is [closed](Self::close), it is as if the client had left: nothing is stored.
pub struct HandlerRequest {
    request: HttpRequest,
    payload: Payload,
    /// The session, which is over when the request is.
    guard: RequestGuard,
}

impl HandlerRequest {
    /// Makes a request of a visitor, with their cookie.
    pub fn new<Scope: SessionScope>(session: &TestSession<Scope>, request: TestRequest) -> Self {
        let cookie = session.cookie();
        let request = if cookie.is_empty() { request } else { request.append_header(("cookie", cookie)) };
        let (request, payload) = request.to_http_parts();
        let lines = HeaderLines(request.headers());
        let sessions = session.enter(|| head(&request, &lines));
        let guard = sessions.innermost().clone().serving();
        request.extensions_mut().insert(sessions);
        Self { request, payload, guard }
    }

    /// Extracts an argument of the handler; of a guarded one the only argument.
    ///
    /// # Errors
    /// Fails as the extractor does.
    pub async fn extract<E: FromRequest>(&mut self) -> Result<E, E::Error> {
        E::from_request(&self.request, &mut self.payload).await
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
        let (method, path) = (self.request.method(), self.request.path());
        f.debug_struct("HandlerRequest").field("method", method).field("path", &path).finish_non_exhaustive()
    }
}
