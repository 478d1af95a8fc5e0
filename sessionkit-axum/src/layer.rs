//! The layer: one session per request.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum_core::body::Body;
use axum_core::response::{IntoResponse, Response};
use http::{Request, Uri};
use pin_project_lite::pin_project;
use sessionkit_core::adapter::{CloseFuture, GuardMark, RequestGuard, RequestSession};
use sessionkit_core::{MainScope, SessionManager, SessionScope};
use tower_layer::Layer;
use tower_service::Service;

use crate::extractors::SessionRejection;
use crate::request::{Slot, head, whole_uri};

/// Gives every request a session, which costs nothing until a handler or a guard asks for it.
///
/// ```no_run
/// # mod sessionkit { pub use sessionkit_axum as axum; pub use sessionkit_core::*; }
/// use axum::{Router, routing::get};
/// use sessionkit::axum::SessionLayer;
/// use sessionkit::{MemoryStore, SessionConfig, SessionManager};
///
/// let manager = SessionManager::new(MemoryStore::new(), SessionConfig::default());
/// let app: Router = Router::new().route("/", get(|| async { "hello" })).layer(SessionLayer::new(manager));
/// ```
///
/// It may stand inside of a nested router: guards, `next` and
/// [exempt](sessionkit_core::CrossOriginProtection::exempt) paths go by the whole path that the client asked for.
///
/// It layers services of any request body, and of any response that is one for axum: those of plain hyper, and of tonic. The
/// responses have axum's body then.
///
/// Put timeouts outside of it, so that a request that is cut off is one whose changes are discarded.
pub struct SessionLayer<Scope: SessionScope = MainScope> {
    manager: SessionManager<Scope>,
    withholds_unguarded: bool,
}

impl<Scope: SessionScope> SessionLayer<Scope> {
    /// Makes a layer over a manager.
    pub fn new(manager: SessionManager<Scope>) -> Self {
        Self { manager, withholds_unguarded: false }
    }

    /// Withholds the answer of a route that nobody guards: neither a guard of the handler nor a
    /// [`GuardLayer`](crate::GuardLayer) decided about it, and nothing declares it public.
    ///
    /// The answer becomes 403, and what the handler changed in the session is discarded. With the setting `dev` it
    /// becomes a 500 that says what to write. This is a net below the guards, and no guard: the handler has run.
    /// Answers with the status 404 or 405 are left alone.
    ///
    /// ```
    /// # mod sessionkit { pub use sessionkit_axum as axum; pub use sessionkit_core::*; }
    /// use axum::{Router, routing::get};
    /// use sessionkit::axum::{GuardLayer, SessionLayer};
    /// use sessionkit::{MemoryStore, Rules, SessionConfig, SessionManager};
    ///
    /// let public = Router::new().route("/", get(|| async { "hello" })).route_layer(GuardLayer::new(Rules::public()));
    /// let forgotten = Router::new().route("/orders", get(|| async { "never seen" }));
    ///
    /// let manager = SessionManager::new(MemoryStore::new(), SessionConfig::default());
    /// let app: Router = public.merge(forgotten).layer(SessionLayer::new(manager).withhold_unguarded());
    /// ```
    pub fn withhold_unguarded(mut self) -> Self {
        self.withholds_unguarded = true;
        self
    }
}

impl<Scope: SessionScope> Clone for SessionLayer<Scope> {
    fn clone(&self) -> Self {
        Self { manager: self.manager.clone(), withholds_unguarded: self.withholds_unguarded }
    }
}

impl<Scope: SessionScope> fmt::Debug for SessionLayer<Scope> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SessionLayer").field(&self.manager).finish()
    }
}

impl<S, Scope: SessionScope> Layer<S> for SessionLayer<Scope> {
    type Service = SessionService<S, Scope>;

    fn layer(&self, inner: S) -> Self::Service {
        SessionService { inner, manager: self.manager.clone(), withholds_unguarded: self.withholds_unguarded }
    }
}

/// The service that [`SessionLayer`] makes.
pub struct SessionService<S, Scope: SessionScope = MainScope> {
    inner: S,
    manager: SessionManager<Scope>,
    withholds_unguarded: bool,
}

impl<S: Clone, Scope: SessionScope> Clone for SessionService<S, Scope> {
    fn clone(&self) -> Self {
        let (inner, manager) = (self.inner.clone(), self.manager.clone());
        Self { inner, manager, withholds_unguarded: self.withholds_unguarded }
    }
}

impl<S: fmt::Debug, Scope: SessionScope> fmt::Debug for SessionService<S, Scope> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionService").field("inner", &self.inner).field("manager", &self.manager).finish()
    }
}

impl<S, B, Scope> Service<Request<B>> for SessionService<S, Scope>
where
    S: Service<Request<B>>,
    S::Response: IntoResponse,
    Scope: SessionScope,
{
    type Response = Response;
    type Error = S::Error;
    type Future = SessionFuture<S::Future, Scope>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let outer = request.extensions().get::<Slot>();
        let uri = whole_uri(request.extensions(), request.uri()).clone();
        let head = || head(request.method(), &uri, request.headers(), request.extensions());
        let entry = match self.manager.enter(outer.map(|slot| &slot.sessions), head) {
            Ok(entry) => entry,
            Err(error) => return SessionFuture::refused(SessionRejection::from(error).into_response()),
        };
        let session = entry.sessions.innermost().clone();
        self.expect_guard(&session, &uri, &mut request);
        request.extensions_mut().insert(Slot { sessions: entry.sessions, uri });
        let session = entry.is_new.then(|| (self.manager.clone(), session.serving()));
        SessionFuture { state: State::Handling { inner: self.inner.call(request), session } }
    }
}

impl<S, Scope: SessionScope> SessionService<S, Scope> {
    fn expect_guard<B>(&self, session: &RequestSession, uri: &Uri, request: &mut Request<B>) {
        if self.withholds_unguarded {
            let mark = request.extensions_mut().get_or_insert_default::<GuardMark>().clone();
            session.withhold_unguarded(mark, &head(request.method(), uri, request.headers(), request.extensions()));
        }
    }
}

pin_project! {
    /// The future of a [`SessionService`].
    pub struct SessionFuture<F, Scope: SessionScope = MainScope> {
        #[pin]
        state: State<F, Scope>,
    }
}

pin_project! {
    #[project = Projected]
    enum State<F, Scope: SessionScope> {
        Handling { #[pin] inner: F, session: Option<(SessionManager<Scope>, RequestGuard)> },
        Closing { response: Response, closing: CloseFuture },
        Refused { answer: Option<Response> },
    }
}

impl<F, Scope: SessionScope> SessionFuture<F, Scope> {
    fn refused(answer: Response) -> Self {
        Self { state: State::Refused { answer: Some(answer) } }
    }
}

impl<F, Scope: SessionScope> fmt::Debug for SessionFuture<F, Scope> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionFuture").finish_non_exhaustive()
    }
}

impl<F, R, E, Scope> Future for SessionFuture<F, Scope>
where
    F: Future<Output = Result<R, E>>,
    R: IntoResponse,
    Scope: SessionScope,
{
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                Projected::Handling { inner, session } => {
                    let response = ready!(inner.poll(context))?.into_response();
                    match session.take() {
                        Some((manager, session)) if session.is_used() => {
                            let closing = manager.close(&session, &response);
                            State::Closing { response, closing }
                        }
                        _ => return Poll::Ready(Ok(response)),
                    }
                }
                Projected::Closing { response, closing } => {
                    let changes = ready!(Pin::new(closing).poll(context));
                    let response = std::mem::replace(response, Response::new(Body::empty()));
                    return Poll::Ready(Ok(changes.apply(response)));
                }
                Projected::Refused { answer } => {
                    return Poll::Ready(Ok(answer.take().expect("it is not polled after it was ready")));
                }
            };
            state.set(next);
        }
    }
}
