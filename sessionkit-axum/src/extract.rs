//! The common part of all extractors: from the parts of a request to its session.

use std::marker::PhantomData;

use http::request::Parts;
use http::{HeaderMap, Method, Uri};
use sessionkit_core::{GuardMark, Rejection, RequestHead, RequestSession, SessionScope};

use crate::rejection::SessionRejection;

/// The session of a request, among its extensions.
pub(crate) struct Slot<L> {
    pub(crate) session: RequestSession,
    /// The address before nested routers cut it.
    pub(crate) uri: Uri,
    scope: PhantomData<fn() -> L>,
}

impl<L: SessionScope> Slot<L> {
    pub(crate) fn new(session: RequestSession, uri: Uri) -> Self {
        Self { session, uri, scope: PhantomData }
    }

    pub(crate) fn of(parts: &Parts) -> Result<&Self, SessionRejection> {
        parts.extensions.get().ok_or_else(|| {
            let head = head(&parts.method, &parts.uri, &parts.headers);
            Rejection::missing_layer(L::NAME, "SessionLayer::new(manager)", &head).into()
        })
    }
}

impl<L> Clone for Slot<L> {
    fn clone(&self) -> Self {
        Self { session: self.session.clone(), uri: self.uri.clone(), scope: PhantomData }
    }
}

/// The session of a request, which knows the request's head from now on.
pub(crate) fn session<L: SessionScope>(parts: &Parts) -> Result<RequestSession, SessionRejection> {
    let slot = Slot::<L>::of(parts)?;
    slot.session.attach(&head(&parts.method, &slot.uri, &parts.headers));
    Ok(slot.session.clone())
}

/// Marks the request as guarded, for layers that withhold the answers of unguarded routes.
pub(crate) fn mark_guarded(parts: &Parts) {
    if let Some(mark) = parts.extensions.get::<GuardMark>() {
        mark.set();
    }
}

/// The head of a request, as the engine reads it.
pub(crate) fn head<'a>(method: &'a Method, uri: &'a Uri, headers: &'a HeaderMap) -> RequestHead<'a> {
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    RequestHead::new(method.as_str(), target, headers)
        .with_authority(uri.authority().map(|authority| authority.as_str()))
}
