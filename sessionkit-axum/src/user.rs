//! The extractors of the user who is logged in.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;
use sessionkit_core::{MainScope, SessionScope, SessionUser};

use crate::extract::{self, Found, found, head};
use crate::rejection::SessionRejection;

/// The user who is logged in, as the application's [`UserLoader`](sessionkit_core::UserLoader) loads them.
///
/// They are loaded once for each request, whoever asks. A visitor who is not logged in gets the answer of a guard that
/// requires it: a redirect to the login page, or 401. `Option<User<U>>` is `None` for such a visitor, and where the session
/// has just been ended, because there is no such user any more. A loader that fails is answered with 503, in both.
///
/// ```
/// # mod sessionkit { pub use sessionkit_axum as axum; pub use sessionkit_core::*; }
/// use sessionkit::axum::User;
/// use sessionkit::SessionUser;
///
/// struct Account {
///     name: String,
/// }
///
/// impl SessionUser for Account {}
///
/// async fn profile(account: User<Account>) -> String {
///     format!("You are {}.", account.name)
/// }
///
/// async fn home(account: Option<User<Account>>) -> String {
///     account.map_or("Welcome.".to_owned(), |account| format!("Welcome, {}.", account.name))
/// }
/// # let _: axum::Router = axum::Router::new()
/// #     .route("/", axum::routing::get(home)).route("/profile", axum::routing::get(profile));
/// ```
pub struct User<U: SessionUser, L: SessionScope = MainScope> {
    user: Arc<U>,
    scope: PhantomData<fn() -> L>,
}

impl<U: SessionUser, L: SessionScope> User<U, L> {
    pub(crate) fn new(user: Arc<U>) -> Self {
        Self { user, scope: PhantomData }
    }
}

impl<U: SessionUser, L: SessionScope> Deref for User<U, L> {
    type Target = U;

    fn deref(&self) -> &U {
        &self.user
    }
}

/// The same user; nothing is copied.
impl<U: SessionUser, L: SessionScope> Clone for User<U, L> {
    fn clone(&self) -> Self {
        Self::new(self.user.clone())
    }
}

/// Names the type; the value may be sensitive.
impl<U: SessionUser, L: SessionScope> fmt::Debug for User<U, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "User({})", std::any::type_name::<U>())
    }
}

impl<S: Send + Sync, U: SessionUser, L: SessionScope> FromRequestParts<S> for User<U, L> {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        let Found { session, uri } = found::<L>(parts)?;
        let head = head(&parts.method, uri, &parts.headers);
        Ok(Self::new(sessionkit_core::adapter::require_user(session, &head).await?))
    }
}

impl<S: Send + Sync, U: SessionUser, L: SessionScope> OptionalFromRequestParts<S> for User<U, L> {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, SessionRejection> {
        let session = extract::session::<L>(parts)?;
        Ok(session.user().await?.map(Self::new))
    }
}

/// The user who is logged in, or nothing for a visitor who is not. The same on axum and on actix-web.
pub struct MaybeUser<U: SessionUser, L: SessionScope = MainScope>(pub Option<User<U, L>>);

impl<U: SessionUser, L: SessionScope> Deref for MaybeUser<U, L> {
    type Target = Option<User<U, L>>;

    fn deref(&self) -> &Option<User<U, L>> {
        &self.0
    }
}

impl<U: SessionUser, L: SessionScope> DerefMut for MaybeUser<U, L> {
    fn deref_mut(&mut self) -> &mut Option<User<U, L>> {
        &mut self.0
    }
}

/// Names the type; the value may be sensitive.
impl<U: SessionUser, L: SessionScope> fmt::Debug for MaybeUser<U, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MaybeUser").field(&self.0).finish()
    }
}

impl<S: Send + Sync, U: SessionUser, L: SessionScope> FromRequestParts<S> for MaybeUser<U, L> {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, SessionRejection> {
        let user = <Option<User<U, L>> as FromRequestParts<S>>::from_request_parts(parts, state).await?;
        Ok(Self(user))
    }
}
