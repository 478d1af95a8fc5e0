//! The extractor for login and logout.

use std::fmt;
use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::ops::Deref;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use sessionkit_core::{MainScope, SessionData, SessionError, SessionScope, SessionUser};

use crate::dynamic::DynamicSession;
use crate::extract;
use crate::rejection::SessionRejection;
use crate::session::Session;
use crate::user::User;

/// The login of a request, and the ways to change it.
///
/// It dereferences to [`sessionkit_core::Auth`], whose methods fail with a [`SessionError`]: `?` makes a [`SessionRejection`]
/// of it, or an error of the application.
///
/// ```
/// # mod sessionkit { pub use sessionkit_actix as actix; pub use sessionkit_core::*; }
/// use sessionkit::actix::{Auth, SessionRejection};
///
/// async fn logout(auth: Auth) -> Result<&'static str, SessionRejection> {
///     auth.logout().await?;
///     Ok("bye")
/// }
///
/// // With actix-web's own error type:
/// async fn login(auth: Auth) -> actix_web::Result<&'static str> {
///     auth.login("ada").await.map_err(SessionRejection::from)?;
///     Ok("welcome")
/// }
/// ```
pub struct Auth<L: SessionScope = MainScope> {
    auth: sessionkit_core::Auth,
    scope: PhantomData<fn() -> L>,
}

impl<L: SessionScope> Auth<L> {
    /// Checks out a struct of the session as it is now: after a login, the new user's. What was extracted before a
    /// change of user belongs to the user before, and is discarded.
    ///
    /// ```
    /// # mod sessionkit { pub use sessionkit_actix as actix; pub use sessionkit_core::*; }
    /// # use sessionkit_core::*;
    /// # use sessionkit_core::derive::*;
    /// # struct Account { is_admin: bool }
    /// # impl SessionData for Account {
    /// #     type Scope = MainScope; type Codec = Json;
    /// #     const NAMESPACE: &'static str = "account"; const FIELDS: &'static [Field] = &[];
    /// #     fn decode(_: &mut FieldReader<'_>) -> Result<Self, FieldError> { Ok(Account { is_admin: false }) }
    /// #     fn encode(&self, _: &mut FieldWriter) -> Result<(), FieldError> { Ok(()) }
    /// # }
    /// use sessionkit::actix::{Auth, SessionRejection};
    ///
    /// async fn login(auth: Auth) -> Result<&'static str, SessionRejection> {
    ///     auth.login("ada").await?;
    ///     auth.checkout::<Account>().await?.is_admin = true;
    ///     Ok("welcome")
    /// }
    /// ```
    ///
    /// # Errors
    /// Fails when the store does, or when a stored value does not fit its field.
    pub async fn checkout<T: SessionData<Scope = L>>(&self) -> Result<Session<T>, SessionError> {
        Ok(Session::new(self.auth.session().checkout().await?))
    }

    /// Loads the user who is logged in now: after a login, the new one. `None` where nobody is.
    ///
    /// # Errors
    /// Fails when the store or the user loader does.
    pub async fn user<U: SessionUser>(&self) -> Result<Option<User<U, L>>, SessionError> {
        Ok(self.auth.session().user().await?.map(User::new))
    }

    /// Shows the session as it is now as a map: after a login, the new user's.
    ///
    /// # Errors
    /// Fails when the store does.
    pub async fn dynamic(&self) -> Result<DynamicSession<L>, SessionError> {
        Ok(DynamicSession::new(self.auth.session().dynamic().await?))
    }
}

impl<L: SessionScope> Deref for Auth<L> {
    type Target = sessionkit_core::Auth;

    fn deref(&self) -> &Self::Target {
        &self.auth
    }
}

impl<L: SessionScope> fmt::Debug for Auth<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.auth.fmt(f)
    }
}

impl<L: SessionScope> FromRequest for Auth<L> {
    type Error = SessionRejection;
    type Future = Ready<Result<Self, SessionRejection>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let session = extract::session::<L>(request);
        ready(session.map(|session| Self { auth: session.auth(), scope: PhantomData }))
    }
}
