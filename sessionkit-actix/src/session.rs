//! The extractors of session structs.

use std::fmt;
use std::ops::{Deref, DerefMut};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use sessionkit_core::SessionData;
use sessionkit_core::adapter::Checkout;

use crate::extract::{self, Extracting};
use crate::rejection::SessionRejection;

/// A struct of the session, to read and to change like any other.
///
/// What changed is stored when the handler has answered with a status below 500; nothing needs to be called. A visitor
/// without a session gets the defaults; ask for [`MaybeSession`] to distinguish such a visitor. (actix-web defines what
/// `Option<Session<T>>` means: `None` when the extractor fails, so it is always `Some` here.)
///
/// ```
/// # mod sessionkit { pub use sessionkit_actix as actix; pub use sessionkit_core::*; }
/// use sessionkit::actix::Session;
/// # use sessionkit_core::*;
/// # use sessionkit_core::derive::*;
/// # struct Cart { views: u64 }
/// # impl SessionData for Cart {
/// #     type Scope = MainScope; type Codec = Json;
/// #     const NAMESPACE: &'static str = "cart"; const FIELDS: &'static [Field] = &[];
/// #     fn decode(_: &mut FieldReader<'_>) -> Result<Self, FieldError> { Ok(Cart { views: 0 }) }
/// #     fn encode(&self, _: &mut FieldWriter) -> Result<(), FieldError> { Ok(()) }
/// # }
///
/// async fn view(mut cart: Session<Cart>) -> String {
///     cart.views += 1;
///     format!("seen {} times", cart.views)
/// }
/// ```
pub struct Session<T: SessionData>(Checkout<T>);

impl<T: SessionData> Session<T> {
    pub(crate) fn new(checkout: Checkout<T>) -> Self {
        Self(checkout)
    }
}

impl<T: SessionData> Deref for Session<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: SessionData> DerefMut for Session<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

/// Names the type; the value may be sensitive.
impl<T: SessionData> fmt::Debug for Session<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: SessionData> FromRequest for Session<T> {
    type Error = SessionRejection;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let session = extract::session::<T::Scope>(request);
        Box::pin(async move { Ok(Self(session?.checkout().await?)) })
    }
}

/// A struct of the session, or nothing for a visitor who has no session. The same on axum and on actix-web.
pub struct MaybeSession<T: SessionData>(pub Option<Session<T>>);

impl<T: SessionData> Deref for MaybeSession<T> {
    type Target = Option<Session<T>>;

    fn deref(&self) -> &Option<Session<T>> {
        &self.0
    }
}

impl<T: SessionData> DerefMut for MaybeSession<T> {
    fn deref_mut(&mut self) -> &mut Option<Session<T>> {
        &mut self.0
    }
}

/// Names the type; the value may be sensitive.
impl<T: SessionData> fmt::Debug for MaybeSession<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MaybeSession").field(&self.0).finish()
    }
}

impl<T: SessionData> FromRequest for MaybeSession<T> {
    type Error = SessionRejection;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let session = extract::session::<T::Scope>(request);
        Box::pin(async move { Ok(Self(session?.checkout_existing().await?.map(Session))) })
    }
}
