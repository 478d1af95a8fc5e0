//! The extractors of the user who is logged in.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use sessionkit_core::{MainScope, SessionScope, SessionUser};

use crate::extract::{self, Extracting, HeaderLines, head, slot};
use crate::rejection::SessionRejection;

/// The user who is logged in, as the application's [`UserLoader`](sessionkit_core::UserLoader) loads them.
///
/// They are loaded once for each request, whoever asks. A visitor who is not logged in gets the answer of a guard that
/// requires it: a redirect to the login page, or 401. [`MaybeUser`] is `None` for such a visitor, and where the session has
/// just been ended, because there is no such user any more. A loader that fails is answered with 503, in both.
///
/// (actix-web defines what `Option<User<U>>` means: `None` when the extractor fails. But a loader that fails is answered
/// with 503 here too, whatever the handler says.)
///
/// ```
/// # mod sessionkit { pub use sessionkit_actix as actix; pub use sessionkit_core::*; }
/// use sessionkit::actix::{MaybeUser, User};
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
/// async fn home(MaybeUser(account): MaybeUser<Account>) -> String {
///     account.map_or("Welcome.".to_owned(), |account| format!("Welcome, {}.", account.name))
/// }
/// # use actix_web::web::get;
/// # let _ = actix_web::App::new().route("/", get().to(home)).route("/profile", get().to(profile));
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

impl<U: SessionUser, L: SessionScope> FromRequest for User<U, L> {
    type Error = SessionRejection;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let (session, lines) = (slot::<L>(&request)?, HeaderLines(request.headers()));
            let user = sessionkit_core::adapter::require_user(&session, &head(&request, &lines)).await?;
            Ok(Self::new(user))
        })
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

impl<U: SessionUser, L: SessionScope> FromRequest for MaybeUser<U, L> {
    type Error = SessionRejection;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let session = extract::session::<L>(request);
        Box::pin(async move { Ok(Self(session?.user().await?.map(User::new))) })
    }
}
