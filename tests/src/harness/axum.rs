//! The suite's view of axum.

use std::convert::Infallible;

pub use axum::Form as PostedForm;
use axum::Router;
use axum::extract::FromRequestParts;
pub use axum::extract::Query;
use axum::extract::ws::{self, Message, WebSocketUpgrade};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt as _};
use sessionkit::axum::GuardLayer;
pub use sessionkit::axum::{
    Auth, CsrfLayer, CsrfToken, DynamicSession, MaybeSession, MaybeUser, Session, SessionHandle, SessionLayer,
    SessionRejection, SessionView, User, session,
};
use sessionkit::{CrossOriginProtection, Rules, SessionManager, SessionScope};
use tower::ServiceExt as _;

use super::{Bench, Gates, Server};

/// True if the handler of a client that leaves is dropped, rather than run to its end.
pub const DROPS_HANDLERS: bool = true;

/// The body of a request.
pub type Body = String;

/// The gates that the handlers of a test share with it.
#[derive(Clone, Debug)]
pub struct Shared(pub Gates);

impl<S: Sync> FromRequestParts<S> for Shared {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().expect("`serve` adds it").clone())
    }
}

/// A request that may become a websocket.
pub type Upgrade = WebSocketUpgrade;

/// The answer to an upgrade, or one whose body is streamed.
pub type Answering = Response;

/// The server's end of a websocket.
#[derive(Debug)]
pub struct Socket(ws::WebSocket);

impl Socket {
    /// The next text; `None` when the client has left.
    pub async fn receive(&mut self) -> Option<String> {
        match self.0.recv().await? {
            Ok(Message::Text(text)) => Some(text.to_string()),
            _ => None,
        }
    }

    /// Sends a text.
    pub async fn send(&mut self, text: impl Into<String>) {
        self.0.send(Message::Text(text.into().into())).await.expect("the client listens");
    }
}

/// Answers with the upgrade; `talk` goes on.
pub fn upgrade<F: Future<Output = ()> + Send + 'static>(
    upgrade: Upgrade,
    talk: impl FnOnce(Socket) -> F + Send + 'static,
) -> Answering {
    upgrade.on_upgrade(|socket| talk(Socket(socket)))
}

/// Answers with these texts, one after the other.
pub fn stream(texts: impl Stream<Item = String> + Send + 'static) -> Answering {
    axum::body::Body::from_stream(texts.map(Ok::<_, Infallible>)).into_response()
}

pub use sessionkit::axum::testing::HandlerRequest;

/// A request for a handler that a test calls itself.
pub fn request_to(path: &str) -> axum::extract::Request {
    axum::extract::Request::get(path).body(axum::body::Body::empty()).expect("the path is valid")
}

/// Routes from paths to handlers, whatever the method.
#[doc(hidden)]
#[macro_export]
macro_rules! axum_routes {
    ($($path:literal => $handler:expr),* $(,)?) => {
        ::axum::Router::new()$(.route($path, ::axum::routing::any($handler)))*
    };
}
pub use crate::axum_routes as routes;

/// Asks routes under one session layer without a server; returns the answer's cookies and its body.
pub async fn answer<Scope: SessionScope>(
    manager: SessionManager<Scope>,
    routes: Router,
    path: &str,
    cookie: &str,
) -> (Vec<String>, String) {
    let request = axum::extract::Request::get(path).header("cookie", cookie).body(axum::body::Body::empty());
    let request = request.expect("the path is valid");
    let Ok(response) = routes.layer(SessionLayer::new(manager)).oneshot(request).await;
    let cookies = response.headers().get_all("set-cookie").iter();
    let cookies = cookies.map(|cookie| cookie.to_str().expect("headers are text").to_owned()).collect();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("the body ends");
    (cookies, String::from_utf8_lossy(&body).into_owned())
}

/// Serves routes under one session layer.
pub async fn serve(bench: &Bench, routes: Router) -> Server {
    serve_with(bench, bench.manager(), routes).await
}

/// Serves routes under one session layer over this manager.
pub async fn serve_with<Scope: SessionScope>(bench: &Bench, manager: SessionManager<Scope>, routes: Router) -> Server {
    serve_app(bench, routes.layer(SessionLayer::new(manager))).await
}

/// Serves routes under a protection from requests of other sites, under one session layer over this manager.
pub async fn serve_protected(
    bench: &Bench,
    manager: SessionManager,
    protection: CrossOriginProtection,
    routes: Router,
) -> Server {
    serve_app(bench, routes.layer(CsrfLayer::new(protection)).layer(SessionLayer::new(manager))).await
}

/// Serves routes under two paths, one inside of the other, with the protection and the session layer inside of both.
pub async fn serve_inside(
    bench: &Bench,
    manager: SessionManager,
    protection: CrossOriginProtection,
    [outer, inner]: [&'static str; 2],
    routes: Router,
) -> Server {
    let layered = routes.layer(CsrfLayer::new(protection)).layer(SessionLayer::new(manager));
    serve_app(bench, under(outer, under(inner, layered))).await
}

/// Serves the same under a session layer that withholds unguarded answers.
pub async fn serve_protected_withholding(bench: &Bench, protection: CrossOriginProtection, routes: Router) -> Server {
    let withholding = SessionLayer::new(bench.manager()).withhold_unguarded();
    serve_app(bench, routes.layer(CsrfLayer::new(protection)).layer(withholding)).await
}

/// Serves routes under a protection from requests of other sites alone.
pub async fn serve_unsessioned(bench: &Bench, protection: CrossOriginProtection, routes: Router) -> Server {
    serve_app(bench, routes.layer(CsrfLayer::new(protection))).await
}

/// Serves routes under the bench's session layer and another one.
pub async fn serve_scopes<Scope: SessionScope>(bench: &Bench, other: SessionManager<Scope>, routes: Router) -> Server {
    serve_app(bench, routes.layer(SessionLayer::new(bench.manager())).layer(SessionLayer::new(other))).await
}

/// Serves routes under three session layers, the first outermost.
pub async fn serve_stacked(bench: &Bench, managers: [SessionManager; 3], routes: Router) -> Server {
    let layered = managers.into_iter().rev().fold(routes, |routes, manager| routes.layer(SessionLayer::new(manager)));
    serve_app(bench, layered).await
}

/// Serves routes under the bench's session layer, and the same under a path with a session layer of its own.
pub async fn serve_nested(bench: &Bench, routes: Router, path: &'static str, inner: SessionManager) -> Server {
    let nested = under(path, routes.clone().layer(SessionLayer::new(inner)));
    serve_app(bench, routes.merge(nested).layer(SessionLayer::new(bench.manager()))).await
}

/// Serves routes under the bench's session layer, and the same under `/fenced` behind rules.
pub async fn serve_fenced<Scope: SessionScope>(
    bench: &Bench,
    manager: SessionManager,
    rules: Rules<Scope>,
    routes: Router,
) -> Server {
    serve_app(bench, fenced(rules, routes).layer(SessionLayer::new(manager))).await
}

/// Serves the same under a session layer that withholds unguarded answers.
pub async fn serve_withholding<Scope: SessionScope>(
    bench: &Bench,
    manager: SessionManager,
    rules: Rules<Scope>,
    routes: Router,
) -> Server {
    serve_app(bench, fenced(rules, routes).layer(SessionLayer::new(manager).withhold_unguarded())).await
}

/// Serves routes under another session layer inside of the bench's, which withholds unguarded answers.
pub async fn serve_withholding_beside<Scope: SessionScope>(
    bench: &Bench,
    other: SessionManager<Scope>,
    routes: Router,
) -> Server {
    let withholding = SessionLayer::new(bench.manager()).withhold_unguarded();
    serve_app(bench, routes.layer(SessionLayer::new(other)).layer(withholding)).await
}

fn fenced<Scope: SessionScope>(rules: Rules<Scope>, routes: Router) -> Router {
    routes.clone().merge(under("/fenced", routes.route_layer(GuardLayer::new(rules))))
}

/// The same routes under a path.
pub fn under(path: &'static str, routes: Router) -> Router {
    Router::new().nest(path, routes)
}

/// Serves an application that brings its own layers.
pub async fn serve_app(bench: &Bench, app: Router) -> Server {
    let app = app.layer(axum::Extension(Shared(bench.gates.clone())));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("a listener has an address");
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let app = app.into_make_service_with_connect_info::<std::net::SocketAddr>();
    let serving = axum::serve(listener, app).into_future();
    tokio::spawn(async move {
        tokio::select! {
            _ = serving => {}
            _ = stopped => {}
        }
    });
    Server::new(address, stop)
}
