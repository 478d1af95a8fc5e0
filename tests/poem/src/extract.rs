//! The extractors.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use poem::{FromRequest, Request, RequestBody, Result};
use sessionkit_core::adapter::{Checkout, RequestSession, SessionStack, missing_layer, require_user};
use sessionkit_core::{MainScope, SessionData, SessionScope, SessionUser};

use crate::head::head;
use crate::rejection::SessionRejection;

/// Finds the session of a scope.
pub(crate) fn find<Scope: SessionScope>(request: &Request) -> Result<&RequestSession, SessionRejection> {
    let session = request.data().and_then(SessionStack::of_scope::<Scope>);
    session.ok_or_else(|| missing_layer(Scope::NAME, "SessionMiddleware::new(manager)", &head(request)).into())
}

/// Finds the session of a scope, and gives it the head of the request.
fn session<Scope: SessionScope>(request: &Request) -> Result<&RequestSession, SessionRejection> {
    let session = find::<Scope>(request)?;
    session.attach(&head(request));
    Ok(session)
}

/// A struct of the session, to read and to change.
pub struct Session<T: SessionData>(Checkout<T>);

impl<'a, T: SessionData + Send> FromRequest<'a> for Session<T> {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> Result<Self> {
        let checkout = session::<T::Scope>(request)?.checkout().await;
        Ok(Self(checkout.map_err(SessionRejection::from)?))
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

/// A struct of the session, to read.
pub struct SessionView<T: SessionData>(T);

impl<'a, T: SessionData + Send> FromRequest<'a> for SessionView<T> {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> Result<Self> {
        let view = session::<T::Scope>(request)?.view().await;
        Ok(Self(view.map_err(SessionRejection::from)?))
    }
}

impl<T: SessionData> Deref for SessionView<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// The login of the request, and the ways to change it.
pub struct Auth<Scope: SessionScope = MainScope>(sessionkit_core::Auth, PhantomData<fn() -> Scope>);

impl<'a, Scope: SessionScope> FromRequest<'a> for Auth<Scope> {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> Result<Self> {
        let session = find::<Scope>(request)?;
        session.keep_head(&head(request), request.data());
        Ok(Self(session.auth(), PhantomData))
    }
}

impl<Scope: SessionScope> Deref for Auth<Scope> {
    type Target = sessionkit_core::Auth;

    fn deref(&self) -> &sessionkit_core::Auth {
        &self.0
    }
}

/// The user who is logged in, as the manager's loader loads them. Nobody being logged in is a redirect to the login page, or
/// a 401.
pub struct User<U: SessionUser, Scope: SessionScope = MainScope>(Arc<U>, PhantomData<fn() -> Scope>);

impl<'a, U: SessionUser, Scope: SessionScope> FromRequest<'a> for User<U, Scope> {
    async fn from_request(request: &'a Request, _: &mut RequestBody) -> Result<Self> {
        let user = require_user(find::<Scope>(request)?, &head(request)).await;
        Ok(Self(user.map_err(SessionRejection::from)?, PhantomData))
    }
}

impl<U: SessionUser, Scope: SessionScope> Deref for User<U, Scope> {
    type Target = U;

    fn deref(&self) -> &U {
        &self.0
    }
}

macro_rules! names_itself {
    ($($name:literal: [$($parameters:tt)*] $type:ty;)*) => {
        $(
            /// Names the extractor; what it holds may be sensitive.
            impl<$($parameters)*> fmt::Debug for $type {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.debug_struct($name).finish_non_exhaustive()
                }
            }
        )*
    };
}

names_itself! {
    "Session": [T: SessionData] Session<T>;
    "SessionView": [T: SessionData] SessionView<T>;
    "Auth": [Scope: SessionScope] Auth<Scope>;
    "User": [U: SessionUser, Scope: SessionScope] User<U, Scope>;
}
