//! The extractors of session structs.

use std::fmt;
use std::ops::{Deref, DerefMut};

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;
use sessionkit_core::SessionData;
use sessionkit_core::adapter::Checkout;

use crate::extract;
use crate::rejection::SessionRejection;

/// A struct of the session, to read and to change like any other.
///
/// What changed is stored when the handler has answered with a status below 500; nothing needs to be called. A visitor
/// without a session gets the defaults. `Option<Session<T>>` is `None` for such a visitor.
///
/// ```
/// # mod sessionkit { pub use sessionkit_axum as axum; pub use sessionkit_core::*; }
/// use sessionkit::axum::Session;
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

impl<S: Send + Sync, T: SessionData> FromRequestParts<S> for Session<T> {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        let session = extract::session::<T::Scope>(parts)?;
        Ok(Self(session.checkout().await?))
    }
}

impl<S: Send + Sync, T: SessionData> OptionalFromRequestParts<S> for Session<T> {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, SessionRejection> {
        let session = extract::session::<T::Scope>(parts)?;
        Ok(session.checkout_existing().await?.map(Self))
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

impl<S: Send + Sync, T: SessionData> FromRequestParts<S> for MaybeSession<T> {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, SessionRejection> {
        let session = <Option<Session<T>> as FromRequestParts<S>>::from_request_parts(parts, state).await?;
        Ok(Self(session))
    }
}
