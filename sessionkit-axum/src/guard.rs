//! The guard: the first argument of a handler under `#[session(..)]`.

use std::fmt;
use std::marker::PhantomData;

use axum_core::extract::FromRequestParts;
use http::request::Parts;
use sessionkit_core::adapter::Check;

use crate::extractors::SessionRejection;
use crate::request::{Found, found, head, mark_guarded};

/// Lets a request pass that meets `C`. axum extracts arguments in order and stops at the first rejection, so as the
/// first argument it decides before anything else is read. The compiler says its name where such a handler is given to
/// another framework.
pub struct AxumGuard<C>(PhantomData<fn() -> C>);

impl<C> fmt::Debug for AxumGuard<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AxumGuard")
    }
}

impl<S: Send + Sync, C: Check> FromRequestParts<S> for AxumGuard<C> {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        mark_guarded(parts);
        let Found { session, uri } = found::<C::Scope>(parts)?;
        sessionkit_core::adapter::guard::<C>(session, &head(&parts.method, uri, &parts.headers, &parts.extensions))
            .await?;
        Ok(Self(PhantomData))
    }
}
