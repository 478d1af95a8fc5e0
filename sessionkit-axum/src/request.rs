//! The common part of all extractors: from the parts of a request to its session.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, OriginalUri};
use http::request::Parts;
use http::{Extensions, HeaderMap, Method, Uri};
use sessionkit_core::adapter::{GuardMark, RequestSession, SessionStack};
use sessionkit_core::{RequestHead, SessionScope};

use crate::extractors::SessionRejection;

/// The sessions of a request, among its extensions.
#[derive(Clone)]
pub(crate) struct Slot {
    pub(crate) sessions: SessionStack,
    /// The address before nested routers cut it.
    pub(crate) uri: Uri,
}

/// The session of a request in one scope, and the address before nested routers cut it.
pub(crate) struct Found<'a> {
    pub(crate) session: &'a RequestSession,
    pub(crate) uri: &'a Uri,
}

/// Finds the session of a scope.
pub(crate) fn find<Scope: SessionScope>(extensions: &Extensions) -> Option<Found<'_>> {
    let slot = extensions.get::<Slot>()?;
    Some(Found { session: slot.sessions.of_scope::<Scope>()?, uri: &slot.uri })
}

/// The session of a scope, behind its layer.
pub(crate) fn found<Scope: SessionScope>(parts: &Parts) -> Result<Found<'_>, SessionRejection> {
    find::<Scope>(&parts.extensions).ok_or_else(|| {
        let uri = whole_uri(&parts.extensions, &parts.uri);
        let head = head(&parts.method, uri, &parts.headers, &parts.extensions);
        sessionkit_core::adapter::missing_layer(Scope::NAME, "SessionLayer::new(manager)", &head).into()
    })
}

/// The session of a request, which knows the request's head from now on.
pub(crate) fn session<Scope: SessionScope>(parts: &Parts) -> Result<RequestSession, SessionRejection> {
    let Found { session, uri } = found::<Scope>(parts)?;
    session.attach(&head(&parts.method, uri, &parts.headers, &parts.extensions));
    Ok(session.clone())
}

/// The address of a request before nested routers cut it: a session layer outside of them saw it, or the outermost of them
/// kept it. `uri` is the address as it is here.
pub(crate) fn whole_uri<'a>(extensions: &'a Extensions, uri: &'a Uri) -> &'a Uri {
    let slot = extensions.get::<Slot>().map(|slot| &slot.uri);
    slot.or_else(|| extensions.get::<OriginalUri>().map(|original| &original.0)).unwrap_or(uri)
}

/// The session of a request, for an extractor whose methods are guards: the head is kept.
pub(crate) fn guardable<Scope: SessionScope>(parts: &Parts) -> Result<RequestSession, SessionRejection> {
    let Found { session, uri } = found::<Scope>(parts)?;
    session
        .keep_head(&head(&parts.method, uri, &parts.headers, &parts.extensions), parts.extensions.get::<GuardMark>());
    Ok(session.clone())
}

/// Marks the request as guarded, for layers that withhold the answers of unguarded routes.
pub(crate) fn mark_guarded(parts: &Parts) {
    if let Some(mark) = parts.extensions.get::<GuardMark>() {
        mark.set();
    }
}

/// The head of a request, as the engine reads it.
pub(crate) fn head<'a>(
    method: &'a Method,
    uri: &'a Uri,
    headers: &'a HeaderMap,
    extensions: &Extensions,
) -> RequestHead<'a> {
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    RequestHead::new(method.as_str(), target, headers)
        .with_authority(uri.authority().map(|authority| authority.as_str()))
        .with_peer_addr(extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0))
}
