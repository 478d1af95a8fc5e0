//! The middleware that refuses what other sites make a browser send.

use std::fmt;
use std::future::{Future, Ready, ready};
use std::marker::PhantomData;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::{Error, HttpMessage as _, ResponseError as _};
use sessionkit_core::adapter::{Admission, GuardMark};
use sessionkit_core::{CrossOriginProtection, MainScope, Rejection, SessionScope};

use crate::extractors::SessionRejection;
use crate::request::{HeaderLines, find, head};

/// Refuses requests that a page of another origin made a browser send; see [`CrossOriginProtection`].
///
/// ```no_run
/// # mod sessionkit { pub use sessionkit_actix as actix; pub use sessionkit_core::*; }
/// use actix_web::{App, web};
/// use sessionkit::actix::{CsrfMiddleware, SessionMiddleware};
/// use sessionkit::{CrossOriginProtection, MemoryStore, SessionConfig, SessionManager};
///
/// let manager = SessionManager::new(MemoryStore::new(), SessionConfig::default());
/// let app = App::new()
///     .route("/buy", web::post().to(|| async { "bought" }))
///     .wrap(CsrfMiddleware::new(CrossOriginProtection::new()))
///     .wrap(SessionMiddleware::new(manager));
/// # let _ = app;
/// ```
///
/// Put it inside of the session middleware, as here: then refusals are reported to the manager's event sinks, and a token
/// can be checked in strict mode. It loads no session, but for such a token.
///
/// Responses get the body `EitherBody<B>`: the middleware may answer in place of the handler, and such an answer is no `B`.
pub struct CsrfMiddleware<Scope: SessionScope = MainScope> {
    protection: Arc<CrossOriginProtection>,
    scope: PhantomData<fn() -> Scope>,
}

impl CsrfMiddleware {
    /// Makes a middleware.
    pub fn new(protection: CrossOriginProtection) -> Self {
        Self::for_scope(protection)
    }
}

impl<Scope: SessionScope> CsrfMiddleware<Scope> {
    /// Makes a middleware over another session than the main one: `CsrfMiddleware::<Office>::for_scope(protection)`.
    pub fn for_scope(protection: CrossOriginProtection) -> Self {
        Self { protection: Arc::new(protection), scope: PhantomData }
    }
}

impl<Scope: SessionScope> Clone for CsrfMiddleware<Scope> {
    fn clone(&self) -> Self {
        Self { protection: self.protection.clone(), scope: PhantomData }
    }
}

impl<Scope: SessionScope> fmt::Debug for CsrfMiddleware<Scope> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CsrfMiddleware").field(&self.protection).finish()
    }
}

impl<S, B, Scope> Transform<S, ServiceRequest> for CsrfMiddleware<Scope>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
    Scope: SessionScope,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = CsrfService<S, Scope>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(CsrfService { inner: Rc::new(inner), middleware: self.clone() }))
    }
}

/// The service that [`CsrfMiddleware`] makes.
pub struct CsrfService<S, Scope: SessionScope = MainScope> {
    inner: Rc<S>,
    middleware: CsrfMiddleware<Scope>,
}

impl<S, Scope: SessionScope> fmt::Debug for CsrfService<S, Scope> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CsrfService").field("middleware", &self.middleware).finish_non_exhaustive()
    }
}

impl<S, B, Scope> Service<ServiceRequest> for CsrfService<S, Scope>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
    Scope: SessionScope,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>>>>;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let session = find::<Scope>(&request.extensions());
        let mark = request.extensions().get::<GuardMark>().cloned();
        let admission = {
            let lines = HeaderLines(request.headers());
            let head = head(request.request(), &lines);
            self.middleware.protection.admit(session.as_ref(), mark.as_ref(), Scope::NAME, &head)
        };
        match admission {
            Admission::Admitted => {
                let handling = self.inner.call(request);
                Box::pin(async move { Ok(handling.await?.map_into_left_body()) })
            }
            Admission::Refused(rejection) => Box::pin(ready(Ok(refuse(request, rejection)))),
            Admission::Undecided(check) => {
                let inner = self.inner.clone();
                Box::pin(async move {
                    match check.await {
                        Ok(()) => Ok(inner.call(request).await?.map_into_left_body()),
                        Err(rejection) => Ok(refuse(request, rejection)),
                    }
                })
            }
        }
    }
}

fn refuse<B>(request: ServiceRequest, rejection: Rejection) -> ServiceResponse<EitherBody<B>> {
    let answer = SessionRejection::from(rejection).error_response();
    request.into_response(answer.map_into_right_body())
}
