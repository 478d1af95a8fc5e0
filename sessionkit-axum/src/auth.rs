//! The extractor for login and logout.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use axum_core::extract::FromRequestParts;
use http::request::Parts;
use sessionkit_core::{LayerMarker, Main};

use crate::extract;
use crate::rejection::SessionRejection;

/// Who is logged in, and the ways to change that: see [`sessionkit_core::Auth`], to which it dereferences.
///
/// ```
/// use sessionkit_axum::{Auth, SessionRejection};
///
/// async fn logout(auth: Auth) -> Result<&'static str, SessionRejection> {
///     auth.logout().await?;
///     Ok("bye")
/// }
/// ```
pub struct Auth<L: LayerMarker = Main> {
    auth: sessionkit_core::Auth,
    layer: PhantomData<fn() -> L>,
}

impl<L: LayerMarker> Deref for Auth<L> {
    type Target = sessionkit_core::Auth;

    fn deref(&self) -> &Self::Target {
        &self.auth
    }
}

impl<L: LayerMarker> fmt::Debug for Auth<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.auth.fmt(f)
    }
}

impl<S: Send + Sync, L: LayerMarker> FromRequestParts<S> for Auth<L> {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        let session = extract::session::<L>(parts)?;
        Ok(Self { auth: sessionkit_core::Auth::new(session), layer: PhantomData })
    }
}
