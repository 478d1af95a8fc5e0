//! The suite's view of actix-web.

use std::cell::RefCell;
use std::future::{Ready, ready};
use std::sync::mpsc::Sender;

use actix_web::dev::Payload;
use actix_web::web::{Data, ServiceConfig};
pub use actix_web::web::{Form as PostedForm, Query};
use actix_web::{App, Error, FromRequest, HttpRequest, HttpResponse};
use actix_ws::MessageStream;
use futures_util::{Stream, StreamExt as _};
use sessionkit::actix::GuardMiddleware;
pub use sessionkit::actix::{
    Auth, CsrfMiddleware, CsrfToken, DynamicSession, MaybeSession, MaybeUser, Session, SessionHandle,
    SessionMiddleware, SessionRejection, SessionView, User, session,
};
use sessionkit::{CrossOriginProtection, Rules, SessionManager, SessionScope};

use super::{Bench, Gates, Server};

/// True if the handler of a client that leaves is dropped, rather than run to its end.
pub const DROPS_HANDLERS: bool = false;

/// The body of a request.
pub type Body = String;

/// The gates that the handlers of a test share with it.
#[derive(Clone, Debug)]
pub struct Shared(pub Gates);

impl FromRequest for Shared {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let gates = request.app_data::<Data<Gates>>().expect("`serve` adds them");
        ready(Ok(Self(gates.get_ref().clone())))
    }
}

/// A request that may become a websocket.
pub struct Upgrade(HttpResponse, actix_ws::Session, MessageStream);

impl FromRequest for Upgrade {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let payload = actix_web::web::Payload::from_request(request, payload).into_inner();
        let handled = payload.and_then(|payload| actix_ws::handle(request, payload));
        ready(handled.map(|(response, session, messages)| Self(response, session, messages)))
    }
}

/// The answer to an upgrade, or one whose body is streamed.
pub type Answering = HttpResponse;

/// The server's end of a websocket.
pub struct Socket(actix_ws::Session, MessageStream);

impl Socket {
    /// The next text; `None` when the client has left.
    pub async fn receive(&mut self) -> Option<String> {
        match self.1.recv().await? {
            Ok(actix_ws::Message::Text(text)) => Some(text.to_string()),
            _ => None,
        }
    }

    /// Sends a text.
    pub async fn send(&mut self, text: impl Into<String>) {
        self.0.text(text.into()).await.expect("the client listens");
    }
}

/// Answers with the upgrade; `talk` goes on.
pub fn upgrade<F: Future<Output = ()> + 'static>(upgrade: Upgrade, talk: impl FnOnce(Socket) -> F) -> Answering {
    let Upgrade(response, session, messages) = upgrade;
    actix_web::rt::spawn(talk(Socket(session, messages)));
    response
}

/// Answers with these texts, one after the other.
pub fn stream(texts: impl Stream<Item = String> + 'static) -> Answering {
    HttpResponse::Ok().streaming(texts.map(|text| Ok::<_, Error>(text.into())))
}

pub use sessionkit::actix::testing::HandlerRequest;

/// A request for a handler that a test calls itself.
pub fn request_to(path: &str) -> actix_web::test::TestRequest {
    actix_web::test::TestRequest::get().uri(path)
}

/// Routes from paths to handlers, whatever the method.
#[doc(hidden)]
#[macro_export]
macro_rules! actix_routes {
    ($($path:literal => $handler:expr),* $(,)?) => {
        |config: &mut ::actix_web::web::ServiceConfig| {
            config$(.route($path, ::actix_web::web::to($handler)))*;
        }
    };
}
pub use crate::actix_routes as routes;

/// Runs an application that brings its own middleware, in a thread of its own, as actix-web wants it: a macro, because
/// the types of applications have no names.
#[doc(hidden)]
#[macro_export]
macro_rules! actix_start {
    ($factory:expr) => {{
        let factory = $factory;
        let (tell, told) = ::tokio::sync::oneshot::channel();
        let (stop, stopped) = ::tokio::sync::oneshot::channel::<()>();
        let (runs, ended) = ::std::sync::mpsc::channel::<()>();
        // Each worker calls it, in a thread of its own.
        let factory = {
            let runs = runs.clone();
            move || {
                $crate::harness::actix::keep_until_the_thread_ends(runs.clone());
                factory()
            }
        };
        ::std::thread::spawn(move || {
            let _runs = runs;
            ::actix_web::rt::System::new().block_on(async move {
                let server = ::actix_web::HttpServer::new(factory).workers(2).disable_signals();
                let server = server.bind("127.0.0.1:0").expect("a port is free");
                tell.send(server.addrs()[0]).expect("the test waits for the address");
                let server = server.run();
                let handle = server.handle();
                ::actix_web::rt::spawn(async move {
                    let _ = stopped.await;
                    handle.stop(false).await;
                });
                server.await.expect("the server ends in order");
            });
        });
        $crate::harness::Server::new(told.await.expect("the server starts"), stop).ends_with(ended)
    }};
}
pub use crate::actix_start;

thread_local! {
    static KEPT: RefCell<Vec<Sender<()>>> = const { RefCell::new(Vec::new()) };
}

/// Keeps a sender until the thread has ended, and with it its runtime and all the connections that belong to that.
#[doc(hidden)]
pub fn keep_until_the_thread_ends(sender: Sender<()>) {
    KEPT.with_borrow_mut(|kept| kept.push(sender));
}

/// Asks routes under one session middleware without a server; returns the answer's cookies and its body.
pub async fn answer<Scope: SessionScope>(
    manager: SessionManager<Scope>,
    routes: impl Fn(&mut ServiceConfig),
    path: &str,
    cookie: &str,
) -> (Vec<String>, String) {
    let app = App::new().configure(routes).wrap(SessionMiddleware::new(manager));
    let app = actix_web::test::init_service(app).await;
    let request = actix_web::test::TestRequest::get().uri(path).insert_header(("cookie", cookie));
    let response = actix_web::test::call_service(&app, request.to_request()).await;
    let cookies = response.headers().get_all("set-cookie");
    let cookies = cookies.map(|cookie| cookie.to_str().expect("headers are text").to_owned()).collect();
    let body = actix_web::test::read_body(response).await;
    (cookies, String::from_utf8_lossy(&body).into_owned())
}

/// Serves routes under one session middleware.
pub async fn serve(bench: &Bench, routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static) -> Server {
    serve_with(bench, bench.manager(), routes).await
}

/// Serves routes under one session middleware over this manager.
pub async fn serve_with<Scope: SessionScope>(
    bench: &Bench,
    manager: SessionManager<Scope>,
    routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) -> Server {
    let gates = Data::new(bench.gates.clone());
    actix_start!(move || {
        let app = App::new().app_data(gates.clone()).configure(routes.clone());
        app.wrap(SessionMiddleware::new(manager.clone()))
    })
}

/// Serves routes under a protection from requests of other sites, under one session middleware over this manager.
pub async fn serve_protected(
    bench: &Bench,
    manager: SessionManager,
    protection: CrossOriginProtection,
    routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) -> Server {
    serve_protected_behind(bench, SessionMiddleware::new(manager), protection, routes).await
}

/// Serves routes under two paths, one inside of the other, with the protection and the session middleware inside of both.
pub async fn serve_inside(
    bench: &Bench,
    manager: SessionManager,
    protection: CrossOriginProtection,
    [outer, inner]: [&'static str; 2],
    routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) -> Server {
    let gates = Data::new(bench.gates.clone());
    actix_start!(move || {
        let scope = actix_web::web::scope(inner).configure(routes.clone());
        let scope = scope.wrap(CsrfMiddleware::new(protection.clone())).wrap(SessionMiddleware::new(manager.clone()));
        App::new().app_data(gates.clone()).service(actix_web::web::scope(outer).service(scope))
    })
}

/// Serves the same under session middleware that withholds unguarded answers.
pub async fn serve_protected_withholding(
    bench: &Bench,
    protection: CrossOriginProtection,
    routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) -> Server {
    serve_protected_behind(bench, SessionMiddleware::new(bench.manager()).withhold_unguarded(), protection, routes)
        .await
}

async fn serve_protected_behind(
    bench: &Bench,
    middleware: SessionMiddleware,
    protection: CrossOriginProtection,
    routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) -> Server {
    let gates = Data::new(bench.gates.clone());
    actix_start!(move || {
        let app = App::new().app_data(gates.clone()).configure(routes.clone());
        app.wrap(CsrfMiddleware::new(protection.clone())).wrap(middleware.clone())
    })
}

/// Serves routes under a protection from requests of other sites alone.
pub async fn serve_unsessioned(
    bench: &Bench,
    protection: CrossOriginProtection,
    routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) -> Server {
    let gates = Data::new(bench.gates.clone());
    actix_start!(move || {
        let app = App::new().app_data(gates.clone()).configure(routes.clone());
        app.wrap(CsrfMiddleware::new(protection.clone()))
    })
}

/// Serves routes under the bench's session middleware and another one.
pub async fn serve_scopes<Scope: SessionScope>(
    bench: &Bench,
    other: SessionManager<Scope>,
    routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) -> Server {
    let (manager, gates) = (bench.manager(), Data::new(bench.gates.clone()));
    actix_start!(move || {
        let app = App::new().app_data(gates.clone()).configure(routes.clone());
        app.wrap(SessionMiddleware::new(manager.clone())).wrap(SessionMiddleware::new(other.clone()))
    })
}

/// Serves routes under three session middlewares, the first outermost.
pub async fn serve_stacked(
    bench: &Bench,
    managers: [SessionManager; 3],
    routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) -> Server {
    let ([outer, middle, inner], gates) = (managers, Data::new(bench.gates.clone()));
    actix_start!(move || {
        let app = App::new().app_data(gates.clone()).configure(routes.clone());
        let app = app.wrap(SessionMiddleware::new(inner.clone())).wrap(SessionMiddleware::new(middle.clone()));
        app.wrap(SessionMiddleware::new(outer.clone()))
    })
}

/// Serves routes under the bench's session middleware, and the same under a path with a session middleware of its own.
pub async fn serve_nested(
    bench: &Bench,
    routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
    path: &'static str,
    inner: SessionManager,
) -> Server {
    let (outer, gates) = (bench.manager(), Data::new(bench.gates.clone()));
    actix_start!(move || {
        let scope = actix_web::web::scope(path).configure(routes.clone()).wrap(SessionMiddleware::new(inner.clone()));
        let app = App::new().app_data(gates.clone()).service(scope).configure(routes.clone());
        app.wrap(SessionMiddleware::new(outer.clone()))
    })
}

/// Serves routes under the bench's session middleware, and the same under `/fenced` behind rules.
pub async fn serve_fenced<Scope: SessionScope>(
    bench: &Bench,
    manager: SessionManager,
    rules: Rules<Scope>,
    routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) -> Server {
    serve_behind(bench, SessionMiddleware::new(manager), rules, routes).await
}

/// Serves the same under session middleware that withholds unguarded answers.
pub async fn serve_withholding<Scope: SessionScope>(
    bench: &Bench,
    manager: SessionManager,
    rules: Rules<Scope>,
    routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) -> Server {
    serve_behind(bench, SessionMiddleware::new(manager).withhold_unguarded(), rules, routes).await
}

async fn serve_behind<Scope: SessionScope>(
    bench: &Bench,
    middleware: SessionMiddleware,
    rules: Rules<Scope>,
    routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) -> Server {
    let gates = Data::new(bench.gates.clone());
    actix_start!(move || {
        let fence = GuardMiddleware::new(rules.clone());
        let fenced = actix_web::web::scope("/fenced").configure(routes.clone()).wrap(fence);
        let app = App::new().app_data(gates.clone()).service(fenced).configure(routes.clone());
        app.wrap(middleware.clone())
    })
}

/// Serves routes under another session middleware inside of the bench's, which withholds unguarded answers.
pub async fn serve_withholding_beside<Scope: SessionScope>(
    bench: &Bench,
    other: SessionManager<Scope>,
    routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) -> Server {
    let (withholding, gates) =
        (SessionMiddleware::new(bench.manager()).withhold_unguarded(), Data::new(bench.gates.clone()));
    actix_start!(move || {
        let app = App::new().app_data(gates.clone()).configure(routes.clone());
        app.wrap(SessionMiddleware::new(other.clone())).wrap(withholding.clone())
    })
}

/// The same routes under a path.
pub fn under(
    path: &'static str,
    routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) -> impl Fn(&mut ServiceConfig) + Clone + Send + 'static {
    move |config| {
        config.service(actix_web::web::scope(path).configure(&routes));
    }
}
