//! The guard of a whole `web::scope`.

use std::fmt;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::{Error, HttpRequest, ResponseError as _};
use sessionkit_core::{MainScope, Rules, SessionScope};

use crate::extractors::SessionRejection;
use crate::request::{HeaderLines, head, mark_guarded, slot};

/// Lets only those requests pass that fulfil rules.
///
/// It must stand inside of the session middleware: what is wrapped later stands outside.
///
/// ```
/// # mod sessionkit { pub use sessionkit_actix as actix; pub use sessionkit_core::*; }
/// use actix_web::{App, web};
/// use sessionkit::actix::{GuardMiddleware, SessionMiddleware};
/// use sessionkit::{MemoryStore, Rules, SessionConfig, SessionManager};
///
/// let office = web::scope("/office")
///     .route("/orders", web::get().to(|| async { "orders" }))
///     .route("/stock", web::get().to(|| async { "stock" }))
///     .wrap(GuardMiddleware::new(Rules::new().require_login()));
///
/// let manager = SessionManager::new(MemoryStore::new(), SessionConfig::default());
/// let app = App::new().service(office).wrap(SessionMiddleware::new(manager));
/// # let _ = app;
/// ```
///
/// It decides about every path of that `web::scope`, also about those that no route answers.
///
/// Responses get the body `EitherBody<B>`: the middleware may answer in place of the handler, and such an answer is no `B`.
pub struct GuardMiddleware<Scope: SessionScope = MainScope> {
    rules: Arc<Rules<Scope>>,
}

impl<Scope: SessionScope> GuardMiddleware<Scope> {
    /// Makes a middleware of rules.
    pub fn new(rules: Rules<Scope>) -> Self {
        Self { rules: Arc::new(rules) }
    }
}

impl<Scope: SessionScope> Clone for GuardMiddleware<Scope> {
    fn clone(&self) -> Self {
        Self { rules: self.rules.clone() }
    }
}

impl<Scope: SessionScope> fmt::Debug for GuardMiddleware<Scope> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GuardMiddleware").field(&self.rules).finish()
    }
}

impl<S, B, Scope> Transform<S, ServiceRequest> for GuardMiddleware<Scope>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
    Scope: SessionScope,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = GuardService<S, Scope>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(GuardService { inner: Rc::new(inner), rules: self.rules.clone() }))
    }
}

/// The service that [`GuardMiddleware`] makes.
pub struct GuardService<S, Scope: SessionScope = MainScope> {
    inner: Rc<S>,
    rules: Arc<Rules<Scope>>,
}

impl<S, Scope: SessionScope> fmt::Debug for GuardService<S, Scope> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardService").field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl<S, B, Scope> Service<ServiceRequest> for GuardService<S, Scope>
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
        let (inner, rules) = (self.inner.clone(), self.rules.clone());
        Box::pin(async move {
            match decide(request.request(), &rules).await {
                Ok(()) => Ok(inner.call(request).await?.map_into_left_body()),
                Err(rejection) => Ok(request.into_response(rejection.error_response().map_into_right_body())),
            }
        })
    }
}

async fn decide<Scope: SessionScope>(request: &HttpRequest, rules: &Rules<Scope>) -> Result<(), SessionRejection> {
    mark_guarded(request);
    let (session, lines) = (slot::<Scope>(request)?, HeaderLines(request.headers()));
    Ok(sessionkit_core::adapter::guard_by(&session, &head(request, &lines), rules).await?)
}
