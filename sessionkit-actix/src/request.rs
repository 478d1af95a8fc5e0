//! The common part of all extractors: from a request to its session.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Extensions;
use actix_web::http::header::HeaderMap;
use actix_web::{HttpMessage as _, HttpRequest};
use sessionkit_core::adapter::{GuardMark, Headers, RequestSession, SessionStack};
use sessionkit_core::{RequestHead, SessionScope};

use crate::extractors::SessionRejection;

/// The future of an extractor.
pub(crate) type Extracting<T> = Pin<Box<dyn Future<Output = Result<T, SessionRejection>>>>;

/// Finds the session of a scope.
pub(crate) fn find<Scope: SessionScope>(extensions: &Extensions) -> Option<RequestSession> {
    extensions.get::<SessionStack>()?.of_scope::<Scope>().cloned()
}

/// The session of a request, as the middleware left it.
pub(crate) fn slot<Scope: SessionScope>(request: &HttpRequest) -> Result<RequestSession, SessionRejection> {
    let session = find::<Scope>(&request.extensions());
    session.ok_or_else(|| {
        let lines = HeaderLines(request.headers());
        sessionkit_core::adapter::missing_layer(Scope::NAME, "SessionMiddleware::new(manager)", &head(request, &lines))
            .into()
    })
}

/// The session of a request, which knows the request's head from now on.
pub(crate) fn session<Scope: SessionScope>(request: &HttpRequest) -> Result<RequestSession, SessionRejection> {
    let session = slot::<Scope>(request)?;
    session.attach(&head(request, &HeaderLines(request.headers())));
    Ok(session)
}

/// The session of a request, for an extractor whose methods are guards: the head is kept.
pub(crate) fn guardable<Scope: SessionScope>(request: &HttpRequest) -> Result<RequestSession, SessionRejection> {
    let (session, lines) = (slot::<Scope>(request)?, HeaderLines(request.headers()));
    session.keep_head(&head(request, &lines), request.extensions().get::<GuardMark>());
    Ok(session)
}

/// Marks the request as guarded, for middleware that withholds the answers of unguarded routes.
pub(crate) fn mark_guarded(request: &HttpRequest) {
    if let Some(mark) = request.extensions().get::<GuardMark>() {
        mark.set();
    }
}

/// The head of a request, as the engine reads it.
pub(crate) fn head<'a>(request: &'a HttpRequest, lines: &'a HeaderLines<'a>) -> RequestHead<'a> {
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    let authority = request.uri().authority().map(|authority| authority.as_str());
    let head = RequestHead::new(request.method().as_str(), target, lines);
    head.with_authority(authority).with_peer_addr(request.peer_addr())
}

/// The headers as the engine reads them.
pub(crate) struct HeaderLines<'a>(pub(crate) &'a HeaderMap);

impl Headers for HeaderLines<'_> {
    fn each<'a>(&'a self, each: &mut dyn FnMut(&'a str, &'a [u8])) {
        self.0.iter().for_each(|(name, value)| each(name.as_str(), value.as_bytes()));
    }

    fn each_value<'a>(&'a self, name: &str, each: &mut dyn FnMut(&'a [u8])) {
        self.0.get_all(name).for_each(|value| each(value.as_bytes()));
    }
}
