//! The layer that refuses what other sites make a browser send.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum_core::body::Body;
use axum_core::response::{IntoResponse, Response};
use http::Request;
use pin_project_lite::pin_project;
use sessionkit_core::adapter::{Admission, GuardMark, TokenCheck};
use sessionkit_core::{CrossOriginProtection, MainScope, SessionScope};
use tower_layer::Layer;
use tower_service::Service;

use crate::request::{find, head, whole_uri};

/// Refuses requests that a page of another origin made a browser send; see [`CrossOriginProtection`].
///
/// ```no_run
/// # mod sessionkit { pub use sessionkit_axum as axum; pub use sessionkit_core::*; }
/// use axum::{Router, routing::post};
/// use sessionkit::axum::{CsrfLayer, SessionLayer};
/// use sessionkit::{CrossOriginProtection, MemoryStore, SessionConfig, SessionManager};
///
/// let manager = SessionManager::new(MemoryStore::new(), SessionConfig::default());
/// let app: Router = Router::new()
///     .route("/buy", post(|| async { "bought" }))
///     .layer(CsrfLayer::new(CrossOriginProtection::new()))
///     .layer(SessionLayer::new(manager));
/// ```
///
/// Put it inside of the session layer, as here: then refusals are reported to the manager's event sinks, and a token can
/// be checked in strict mode. It loads no session, but for such a token.
pub struct CsrfLayer<Scope: SessionScope = MainScope> {
    protection: Arc<CrossOriginProtection>,
    scope: PhantomData<fn() -> Scope>,
}

impl CsrfLayer {
    /// Makes a layer.
    pub fn new(protection: CrossOriginProtection) -> Self {
        Self::for_scope(protection)
    }
}

impl<Scope: SessionScope> CsrfLayer<Scope> {
    /// Makes a layer over another session than the main one: `CsrfLayer::<Office>::for_scope(protection)`.
    pub fn for_scope(protection: CrossOriginProtection) -> Self {
        Self { protection: Arc::new(protection), scope: PhantomData }
    }
}

impl<Scope: SessionScope> Clone for CsrfLayer<Scope> {
    fn clone(&self) -> Self {
        Self { protection: self.protection.clone(), scope: PhantomData }
    }
}

impl<Scope: SessionScope> fmt::Debug for CsrfLayer<Scope> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CsrfLayer").field(&self.protection).finish()
    }
}

impl<S, Scope: SessionScope> Layer<S> for CsrfLayer<Scope> {
    type Service = CsrfService<S, Scope>;

    fn layer(&self, inner: S) -> Self::Service {
        CsrfService { inner, layer: self.clone() }
    }
}

/// The service that [`CsrfLayer`] makes.
pub struct CsrfService<S, Scope: SessionScope = MainScope> {
    inner: S,
    layer: CsrfLayer<Scope>,
}

impl<S: Clone, Scope: SessionScope> Clone for CsrfService<S, Scope> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), layer: self.layer.clone() }
    }
}

impl<S: fmt::Debug, Scope: SessionScope> fmt::Debug for CsrfService<S, Scope> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CsrfService").field("inner", &self.inner).field("layer", &self.layer).finish()
    }
}

impl<S, B, Scope> Service<Request<B>> for CsrfService<S, Scope>
where
    S: Service<Request<B>> + Clone,
    S::Response: IntoResponse,
    Scope: SessionScope,
{
    type Response = Response;
    type Error = S::Error;
    type Future = CsrfFuture<S, B>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let found = find::<Scope>(request.extensions());
        let uri = whole_uri(request.extensions(), request.uri());
        let head = head(request.method(), uri, request.headers(), request.extensions());
        let (session, mark) = (found.as_ref().map(|found| found.session), request.extensions().get::<GuardMark>());
        let state = match self.layer.protection.admit(session, mark, Scope::NAME, &head) {
            Admission::Admitted => State::Admitted { handling: self.inner.call(request) },
            Admission::Refused(rejection) => State::Refused { answer: Some(rejection.into()) },
            Admission::Undecided(check) => {
                // The service that is ready goes into the future.
                let fresh = self.inner.clone();
                let ready = std::mem::replace(&mut self.inner, fresh);
                State::Undecided { check, next: Some(Box::new((ready, request))) }
            }
        };
        CsrfFuture { state }
    }
}

pin_project! {
    /// The future of a [`CsrfService`].
    pub struct CsrfFuture<S: Service<Request<B>>, B = Body> {
        #[pin]
        state: State<S, B>,
    }
}

pin_project! {
    #[project = Projected]
    enum State<S: Service<Request<B>>, B> {
        Admitted { #[pin] handling: S::Future },
        Refused { answer: Option<Response> },
        Undecided { check: TokenCheck, next: Option<Box<(S, Request<B>)>> },
    }
}

impl<S: Service<Request<B>>, B> fmt::Debug for CsrfFuture<S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CsrfFuture").finish_non_exhaustive()
    }
}

impl<S, B> Future for CsrfFuture<S, B>
where
    S: Service<Request<B>>,
    S::Response: IntoResponse,
{
    type Output = Result<Response, S::Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                Projected::Admitted { handling } => {
                    return handling.poll(context).map_ok(IntoResponse::into_response);
                }
                Projected::Refused { answer } => {
                    return Poll::Ready(Ok(answer.take().expect("it is not polled after it was ready")));
                }
                Projected::Undecided { check, next } => match ready!(Pin::new(check).poll(context)) {
                    Ok(()) => {
                        let (mut service, request) = *next.take().expect("the check was ready once");
                        State::Admitted { handling: service.call(request) }
                    }
                    Err(rejection) => State::Refused { answer: Some(rejection.into()) },
                },
            };
            state.set(next);
        }
    }
}
