//! The user of a session, as the application knows them.

use std::any::{Any, TypeId, type_name};
use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::error::Cause;
use crate::record::credential_stamp::CredentialStamp;

/// A user, as the application knows them: what a [`UserLoader`] loads, what `User<U>` extracts, and what predicates look at.
///
/// ```
/// # use sessionkit_core as sessionkit;
/// use sessionkit::{CredentialStamp, SessionUser};
///
/// struct Account {
///     is_admin: bool,
///     password_hash: String,
/// }
///
/// impl SessionUser for Account {
///     fn credential_stamp(&self) -> Option<CredentialStamp> {
///         Some(CredentialStamp::of(&self.password_hash))
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a user",
    label = "expected a type that implements `SessionUser`",
    note = "write `impl SessionUser for {Self} {{}}` for the type that the application's `UserLoader` loads"
)]
pub trait SessionUser: Send + Sync + 'static {
    /// The stamp of the credentials that the user has now; none by default.
    ///
    /// A session whose login was given a stamp ends when its user is loaded and has another one, or none: so a change of
    /// the password ends the sessions that were begun with the old one. If an actor acts as the user, the login is
    /// theirs, and so is the stamp that counts.
    fn credential_stamp(&self) -> Option<CredentialStamp> {
        None
    }
}

/// A session struct or a user, and not both: a predicate over something that is both would not determine what to load.
/// Every user is one, and the derive makes one of its struct, so that the compiler refuses the second of the two.
#[doc(hidden)]
pub trait SessionDataOrSessionUser {}

impl<U: SessionUser> SessionDataOrSessionUser for U {}

/// Loads the user of a session: from the application's database, as a rule.
///
/// [`SessionManagerBuilder::user_loader`](crate::SessionManagerBuilder::user_loader) takes it. It is called once for each
/// request that asks for the user, and never for others; if an actor acts as the user, it is asked for the actor first. It
/// must answer within the setting `user_deadline`. An [`Arc`] of a loader is a loader, for applications that look up their
/// users themselves too.
///
/// ```
/// # use sessionkit_core as sessionkit;
/// use std::collections::HashMap;
/// use std::convert::Infallible;
///
/// use sessionkit::{MemoryStore, SessionManager, SessionUser, UserLoader};
///
/// #[derive(Clone)]
/// struct Account {
///     name: String,
/// }
///
/// impl SessionUser for Account {}
///
/// struct Accounts(HashMap<String, Account>);
///
/// impl UserLoader for Accounts {
///     type User = Account;
///     type Error = Infallible; // of a database: its error
///
///     async fn load(&self, id: &str) -> Result<Option<Account>, Infallible> {
///         Ok(self.0.get(id).cloned())
///     }
/// }
///
/// let accounts = Accounts(HashMap::from([("7".to_owned(), Account { name: "Ada".to_owned() })]));
/// let manager = SessionManager::builder(MemoryStore::new()).user_loader(accounts).build();
/// # let _ = manager;
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not load users",
    note = "write `impl UserLoader for {Self}` with `type User`, `type Error` and `async fn load`"
)]
pub trait UserLoader: Send + Sync + 'static {
    /// The type of the user.
    type User: SessionUser;

    /// The error of a load, or a text. It is logged, and not shown to the client.
    type Error: Into<Box<dyn Error + Send + Sync>>;

    /// Loads the user whom a login named: `auth.login(id)`. `None` where there is no such user, or not any more, or where
    /// they may not use the application any more: that ends the session, also one in which they act as another user, or
    /// another user acts as them.
    ///
    /// # Errors
    /// Fails if it cannot find out whether there is such a user. The request is answered with 503 then, and the session
    /// stays as it is.
    fn load(&self, id: &str) -> impl Future<Output = Result<Option<Self::User>, Self::Error>> + Send;
}

impl<T: UserLoader> UserLoader for Arc<T> {
    type User = T::User;
    type Error = T::Error;

    fn load(&self, id: &str) -> impl Future<Output = Result<Option<T::User>, T::Error>> + Send {
        (**self).load(id)
    }
}

/// A loader whatever it loads.
pub(crate) trait DynLoader: Send + Sync {
    fn load<'a>(&'a self, id: &'a str) -> Loading<'a>;
    fn loads(&self) -> (TypeId, &'static str);
}

type Loading<'a> = Pin<Box<dyn Future<Output = Result<Option<Loaded>, Cause>> + Send + 'a>>;

/// A user of any type.
#[derive(Clone)]
pub(crate) struct Loaded {
    pub(crate) user: Arc<dyn Any + Send + Sync>,
    pub(crate) stamp: Option<CredentialStamp>,
}

impl<T: UserLoader> DynLoader for T {
    fn load<'a>(&'a self, id: &'a str) -> Loading<'a> {
        Box::pin(async move {
            let user = UserLoader::load(self, id).await.map_err(Into::into)?;
            Ok(user.map(|user| Loaded { stamp: user.credential_stamp(), user: Arc::new(user) }))
        })
    }

    fn loads(&self) -> (TypeId, &'static str) {
        (TypeId::of::<T::User>(), type_name::<T::User>())
    }
}
