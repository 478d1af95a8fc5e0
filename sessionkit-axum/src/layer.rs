//! The layer: one session per request.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum_core::body::Body;
use axum_core::extract::Request;
use axum_core::response::{IntoResponse, Response};
use pin_project_lite::pin_project;
use sessionkit_core::{Closing, LayerMarker, Main, Serving, SessionManager};
use tower_layer::Layer;
use tower_service::Service;

use crate::extract::{Slot, head};

/// Gives every request a session, which costs nothing until somebody asks for it.
///
/// ```no_run
/// use axum::{Router, routing::get};
/// use sessionkit_axum::SessionLayer;
/// use sessionkit_core::{MemoryStore, SessionConfig, SessionManager};
///
/// let manager = SessionManager::new(MemoryStore::new(), SessionConfig::default());
/// let app: Router = Router::new().route("/", get(|| async { "hello" })).layer(SessionLayer::new(manager));
/// ```
///
/// Put timeouts outside of it, so that a request that is cut off is one whose changes are discarded.
pub struct SessionLayer<L: LayerMarker = Main> {
    manager: SessionManager<L>,
}

impl<L: LayerMarker> SessionLayer<L> {
    /// Makes a layer over a manager.
    pub fn new(manager: SessionManager<L>) -> Self {
        Self { manager }
    }
}

impl<L: LayerMarker> Clone for SessionLayer<L> {
    fn clone(&self) -> Self {
        Self { manager: self.manager.clone() }
    }
}

impl<L: LayerMarker> fmt::Debug for SessionLayer<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SessionLayer").field(&self.manager).finish()
    }
}

impl<S, L: LayerMarker> Layer<S> for SessionLayer<L> {
    type Service = SessionService<S, L>;

    fn layer(&self, inner: S) -> Self::Service {
        SessionService { inner, manager: self.manager.clone() }
    }
}

/// The service that [`SessionLayer`] makes.
pub struct SessionService<S, L: LayerMarker = Main> {
    inner: S,
    manager: SessionManager<L>,
}

impl<S: Clone, L: LayerMarker> Clone for SessionService<S, L> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), manager: self.manager.clone() }
    }
}

impl<S: fmt::Debug, L: LayerMarker> fmt::Debug for SessionService<S, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionService").field("inner", &self.inner).field("manager", &self.manager).finish()
    }
}

impl<S, L> Service<Request> for SessionService<S, L>
where
    S: Service<Request>,
    S::Response: IntoResponse,
    L: LayerMarker,
{
    type Response = Response;
    type Error = S::Error;
    type Future = SessionFuture<S::Future, L>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        // Added twice, the outer layer's session is the session; another manager's is not ours.
        let added = request.extensions().get::<Slot<L>>().is_some_and(|slot| self.manager.owns(&slot.session));
        let session = if added {
            None
        } else {
            let session = self.manager.open();
            if self.manager.needs_every_head() {
                session.attach(&head(request.method(), request.uri(), request.headers()));
            }
            let slot = Slot::<L>::new(session.clone(), request.uri().clone());
            request.extensions_mut().insert(slot);
            Some((self.manager.clone(), session.serving()))
        };
        SessionFuture { inner: self.inner.call(request), session, closing: None }
    }
}

pin_project! {
    /// The future of a [`SessionService`].
    pub struct SessionFuture<F, L: LayerMarker = Main> {
        #[pin]
        inner: F,
        session: Option<(SessionManager<L>, Serving)>,
        closing: Option<(Response, Closing)>,
    }
}

impl<F, L: LayerMarker> fmt::Debug for SessionFuture<F, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionFuture").finish_non_exhaustive()
    }
}

impl<F, R, E, L> Future for SessionFuture<F, L>
where
    F: Future<Output = Result<R, E>>,
    R: IntoResponse,
    L: LayerMarker,
{
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if this.closing.is_none() {
            let response = ready!(this.inner.poll(context))?.into_response();
            match this.session.take() {
                Some((manager, session)) if session.is_used() => {
                    let closing = manager.close(&session, response.status().as_u16());
                    *this.closing = Some((response, closing));
                }
                _ => return Poll::Ready(Ok(response)),
            }
        }
        let (response, closing) = this.closing.as_mut().expect("it was set above");
        let closed = ready!(Pin::new(closing).poll(context));
        let response = std::mem::replace(response, Response::new(Body::empty()));
        Poll::Ready(Ok(closed.apply(response)))
    }
}
