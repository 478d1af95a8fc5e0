//! What all extractors share: from the parts of a request to its session.

use std::marker::PhantomData;

use http::request::Parts;
use http::{HeaderMap, Method, Uri};
use sessionkit_core::{Headers, LayerMarker, Rejection, RequestHead, RequestSession};

use crate::rejection::SessionRejection;

/// The session of a request, among its extensions.
pub(crate) struct Slot<L> {
    pub(crate) session: RequestSession,
    /// The address before nested routers cut it.
    pub(crate) uri: Uri,
    layer: PhantomData<fn() -> L>,
}

impl<L: LayerMarker> Slot<L> {
    pub(crate) fn new(session: RequestSession, uri: Uri) -> Self {
        Self { session, uri, layer: PhantomData }
    }

    pub(crate) fn of(parts: &Parts) -> Result<&Self, SessionRejection> {
        parts.extensions.get().ok_or_else(|| {
            let route = format!("{} {}", parts.method, parts.uri.path());
            Rejection::missing_layer(L::NAME, "SessionLayer::new(manager)", &route).into()
        })
    }
}

impl<L> Clone for Slot<L> {
    fn clone(&self) -> Self {
        Self { session: self.session.clone(), uri: self.uri.clone(), layer: PhantomData }
    }
}

/// The session of a request, which knows the request's head from now on.
pub(crate) fn session<L: LayerMarker>(parts: &Parts) -> Result<RequestSession, SessionRejection> {
    let slot = Slot::<L>::of(parts)?;
    slot.session.attach(&head(&parts.method, &slot.uri, &HeaderLines(&parts.headers)));
    Ok(slot.session.clone())
}

/// The head of a request, as the engine reads it.
pub(crate) fn head<'a>(method: &'a Method, uri: &'a Uri, lines: &'a HeaderLines<'a>) -> RequestHead<'a> {
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    RequestHead::new(method.as_str(), target, lines)
}

/// The headers as the engine reads them.
pub(crate) struct HeaderLines<'a>(pub(crate) &'a HeaderMap);

impl Headers for HeaderLines<'_> {
    fn each<'a>(&'a self, each: &mut dyn FnMut(&'a str, &'a [u8])) {
        self.0.iter().for_each(|(name, value)| each(name.as_str(), value.as_bytes()));
    }

    fn each_value<'a>(&'a self, name: &str, each: &mut dyn FnMut(&'a [u8])) {
        self.0.get_all(name).iter().for_each(|value| each(value.as_bytes()));
    }
}
