//! The middleware: one session per request.

use std::fmt;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::{Error, HttpMessage as _, ResponseError as _};
use sessionkit_core::adapter::{GuardMark, SessionStack};
use sessionkit_core::{MainScope, SessionManager, SessionScope};

use crate::extractors::SessionRejection;
use crate::request::{HeaderLines, head};
use crate::respond;

/// Gives every request a session, which costs nothing until a handler or a guard asks for it.
///
/// ```no_run
/// # mod sessionkit { pub use sessionkit_actix as actix; pub use sessionkit_core::*; }
/// use actix_web::{App, web};
/// use sessionkit::actix::SessionMiddleware;
/// use sessionkit::{MemoryStore, SessionConfig, SessionManager};
///
/// let manager = SessionManager::new(MemoryStore::new(), SessionConfig::default());
/// let app = App::new().wrap(SessionMiddleware::new(manager)).route("/", web::get().to(|| async { "hello" }));
/// # let _ = app;
/// ```
///
/// Make the manager once, outside of the closure that makes the `App`, so that all workers share it.
///
/// Responses get the body `EitherBody<B>`: the middleware may answer in place of the handler, and such an answer is no `B`.
pub struct SessionMiddleware<Scope: SessionScope = MainScope> {
    manager: SessionManager<Scope>,
    withholds_unguarded: bool,
}

impl<Scope: SessionScope> SessionMiddleware<Scope> {
    /// Makes a middleware over a manager.
    pub fn new(manager: SessionManager<Scope>) -> Self {
        Self { manager, withholds_unguarded: false }
    }

    /// Withholds the answer of a route that nobody guards: neither a guard of the handler nor a
    /// [`GuardMiddleware`](crate::GuardMiddleware) decided about it, and nothing declares it public.
    ///
    /// The answer becomes 403, and what the handler changed in the session is discarded. With the setting `dev` it
    /// becomes a 500 that says what to write. This is a net below the guards, and no guard: the handler has run.
    /// Answers with the status 404 or 405 are left alone.
    ///
    /// ```
    /// # mod sessionkit { pub use sessionkit_actix as actix; pub use sessionkit_core::*; }
    /// use actix_web::{App, web};
    /// use sessionkit::actix::{GuardMiddleware, SessionMiddleware};
    /// use sessionkit::{MemoryStore, Rules, SessionConfig, SessionManager};
    ///
    /// let files = web::scope("/files").route("/logo", web::get().to(|| async { "a picture" }));
    /// let manager = SessionManager::new(MemoryStore::new(), SessionConfig::default());
    /// let app = App::new()
    ///     .service(files.wrap(GuardMiddleware::new(Rules::public())))
    ///     .route("/orders", web::get().to(|| async { "never seen" }))
    ///     .wrap(SessionMiddleware::new(manager).withhold_unguarded());
    /// # let _ = app;
    /// ```
    pub fn withhold_unguarded(mut self) -> Self {
        self.withholds_unguarded = true;
        self
    }
}

impl<Scope: SessionScope> Clone for SessionMiddleware<Scope> {
    fn clone(&self) -> Self {
        Self { manager: self.manager.clone(), withholds_unguarded: self.withholds_unguarded }
    }
}

impl<Scope: SessionScope> fmt::Debug for SessionMiddleware<Scope> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SessionMiddleware").field(&self.manager).finish()
    }
}

impl<S, B, Scope> Transform<S, ServiceRequest> for SessionMiddleware<Scope>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
    Scope: SessionScope,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = SessionService<S, Scope>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        let (manager, withholds_unguarded) = (self.manager.clone(), self.withholds_unguarded);
        ready(Ok(SessionService { inner: Rc::new(inner), manager, withholds_unguarded }))
    }
}

/// The service that [`SessionMiddleware`] makes.
pub struct SessionService<S, Scope: SessionScope = MainScope> {
    inner: Rc<S>,
    manager: SessionManager<Scope>,
    withholds_unguarded: bool,
}

impl<S, Scope: SessionScope> fmt::Debug for SessionService<S, Scope> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionService").field("manager", &self.manager).finish_non_exhaustive()
    }
}

impl<S, B, Scope> Service<ServiceRequest> for SessionService<S, Scope>
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
        let entry = {
            let (extensions, lines) = (request.extensions(), HeaderLines(request.headers()));
            self.manager.enter(extensions.get::<SessionStack>(), || head(request.request(), &lines))
        };
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let answer = SessionRejection::from(error).error_response().map_into_right_body();
                return Box::pin(ready(Ok(request.into_response(answer))));
            }
        };
        let session = entry.sessions.innermost().clone();
        if self.withholds_unguarded {
            let mark = request.extensions().get::<GuardMark>().cloned().unwrap_or_default();
            session.withhold_unguarded(mark.clone(), &head(request.request(), &HeaderLines(request.headers())));
            request.extensions_mut().insert(mark);
        }
        request.extensions_mut().insert(entry.sessions);
        let handling = self.inner.call(request);
        let session = entry.is_new.then(|| (self.manager.clone(), session.serving()));
        Box::pin(async move {
            let handled = handling.await;
            let Some((manager, session)) = session.filter(|(_, session)| session.is_used()) else {
                return Ok(handled?.map_into_left_body());
            };
            let changes = manager.close(&session, respond::handled_as(&handled)).await;
            respond::apply(changes, handled)
        })
    }
}
