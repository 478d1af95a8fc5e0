//! The extractor for login and logout.

use std::fmt;
use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use sessionkit_core::{LayerMarker, Main};

use crate::extract;
use crate::rejection::SessionRejection;

/// Who is logged in, and the ways to change that: see [`sessionkit_core::Auth`], to which it dereferences.
///
/// ```
/// use sessionkit_actix::{Auth, SessionRejection};
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

impl<L: LayerMarker> FromRequest for Auth<L> {
    type Error = SessionRejection;
    type Future = Ready<Result<Self, SessionRejection>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let session = extract::session::<L>(request);
        ready(session.map(|session| Self { auth: sessionkit_core::Auth::new(session), layer: PhantomData }))
    }
}
