//! The guard of a whole router.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum_core::response::{IntoResponse, Response};
use http::Request;
use sessionkit_core::{MainScope, Rules, SessionScope};
use tower_layer::Layer;
use tower_service::Service;

use crate::extractors::SessionRejection;
use crate::request::{self, Found, found, head};

/// Lets only those requests pass that fulfil rules.
///
/// It must stand inside of the session layer. Add it with `route_layer`, so that it decides about the routes that exist, and
/// those that do not stay 404:
///
/// ```
/// # mod sessionkit { pub use sessionkit_axum as axum; pub use sessionkit_core::*; }
/// use axum::{Router, routing::get};
/// use sessionkit::axum::{GuardLayer, SessionLayer};
/// use sessionkit::{MemoryStore, Rules, SessionConfig, SessionManager};
///
/// let office = Router::new()
///     .route("/orders", get(|| async { "orders" }))
///     .route("/stock", get(|| async { "stock" }))
///     .route_layer(GuardLayer::new(Rules::new().require_login()));
///
/// let manager = SessionManager::new(MemoryStore::new(), SessionConfig::default());
/// let app: Router = Router::new().nest("/office", office).layer(SessionLayer::new(manager));
/// ```
pub struct GuardLayer<Scope: SessionScope = MainScope> {
    rules: Arc<Rules<Scope>>,
}

impl<Scope: SessionScope> GuardLayer<Scope> {
    /// Makes a layer of rules.
    pub fn new(rules: Rules<Scope>) -> Self {
        Self { rules: Arc::new(rules) }
    }
}

impl<Scope: SessionScope> Clone for GuardLayer<Scope> {
    fn clone(&self) -> Self {
        Self { rules: self.rules.clone() }
    }
}

impl<Scope: SessionScope> fmt::Debug for GuardLayer<Scope> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GuardLayer").field(&self.rules).finish()
    }
}

impl<S, Scope: SessionScope> Layer<S> for GuardLayer<Scope> {
    type Service = GuardService<S, Scope>;

    fn layer(&self, inner: S) -> Self::Service {
        GuardService { inner, rules: self.rules.clone() }
    }
}

/// The service that [`GuardLayer`] makes.
pub struct GuardService<S, Scope: SessionScope = MainScope> {
    inner: S,
    rules: Arc<Rules<Scope>>,
}

impl<S: Clone, Scope: SessionScope> Clone for GuardService<S, Scope> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), rules: self.rules.clone() }
    }
}

impl<S: fmt::Debug, Scope: SessionScope> fmt::Debug for GuardService<S, Scope> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardService").field("inner", &self.inner).field("rules", &self.rules).finish()
    }
}

impl<S, B, Scope> Service<Request<B>> for GuardService<S, Scope>
where
    S: Service<Request<B>> + Clone + Send + 'static,
    B: Send + 'static,
    S::Response: IntoResponse,
    S::Future: Send,
    Scope: SessionScope,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The service that is ready is this one, not its clone.
        let clone = self.inner.clone();
        let (mut inner, rules) = (std::mem::replace(&mut self.inner, clone), self.rules.clone());
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            request::mark_guarded(&parts);
            let decided = match found::<Scope>(&parts) {
                Ok(Found { session, uri }) => {
                    let head = head(&parts.method, uri, &parts.headers, &parts.extensions);
                    sessionkit_core::adapter::guard_by(session, &head, &rules).await.map_err(SessionRejection::from)
                }
                Err(rejection) => Err(rejection),
            };
            match decided {
                Ok(()) => Ok(inner.call(Request::from_parts(parts, body)).await?.into_response()),
                Err(rejection) => Ok(rejection.into_response()),
            }
        })
    }
}
