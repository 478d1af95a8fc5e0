//! Sessions that lie in the cookies themselves, as an application sets them up.

use std::fmt;
use std::sync::Arc;

use crate::config::ConfigError;
use crate::data::SessionData;
use crate::devices::revocations::ListedRevocations;
use crate::encryption::KeyRing;
use crate::engine::in_cookies::{Form, InCookies, Sharing, UserKey};
use crate::format::AuthenticatedFormat;
use crate::store::Store;
use crate::store::dynamic::DynStore;
use crate::store::memory::MemoryStore;
use crate::wire::cookie::MOST_CHUNKS;

/// The sessions of a scope in the cookies themselves: no server keeps them. The structs, guards and extractors are the same.
///
/// ```
/// # use sessionkit_core as sessionkit;
/// use sessionkit::{CookieSessions, InCookie, KeyRing, SessionConfig, SessionManager, SessionScope};
///
/// struct Visitor;
///
/// impl SessionScope for Visitor {
///     const NAME: &'static str = "Visitor";
///     type Home = InCookie;
/// }
///
/// # let keys = KeyRing::generate();
/// // Usually from the environment: `KeyRing::from_env()?`.
/// let sessions = SessionManager::<Visitor>::in_cookie(CookieSessions::sealed(keys), SessionConfig::default());
/// # let _ = sessions;
/// ```
///
/// **The client holds the session, so these promises do not hold:**
///
/// - A *logout* removes the cookie from the browser. A copy of it opens the session until its deadline, and so do cookies from
///   before a rotation or a change of fields: a client that kept one goes back to that state.
///   [`revocable`](Self::revocable) sessions of users end at their logout, for the price of a store call per request.
/// - *Concurrent requests* do not merge: the browser keeps the cookie of the response that arrives last.
/// - *Devices* are not known. A session ends by its own logout or at its deadline: no administrator, and no other device of the
///   user, can end it.
/// - A [`SessionHandle`](crate::SessionHandle) reads the session after the response, and cannot change it.
///
/// The methods that need a server do not compile: `auth.devices()`, `manager.devices_of(..)`, `manager.end_everyone()`; and
/// [`FinalLogout`](crate::FinalLogout) is what code demands that relies on a logout.
///
/// The deadlines are inside of the cookie, and the server enforces them. A cookie has 4096 bytes: a session that does not fit is
/// a 500, and the one before it stays. Nothing is compressed, since the length of what is compressed tells what is in it.
pub struct CookieSessions {
    in_cookies: InCookies,
    revocations: Option<Arc<dyn DynStore>>,
}

impl CookieSessions {
    /// Encrypts each session into one cookie with AES-256-GCM-SIV ([RFC 8452](https://www.rfc-editor.org/rfc/rfc8452)): the
    /// client can neither read nor change it. It opens nothing under another cookie name, and nothing in another scope.
    ///
    /// A cookie of a previous key is encrypted with the active one in the next response to its client, so that a change of keys
    /// logs nobody out.
    pub fn sealed(keys: KeyRing) -> Self {
        Self::of(Form::Sealed(keys), 1)
    }

    /// Encrypts each session as [`sealed`](Self::sealed) does, into up to `most` cookies where one is too small: the name of the
    /// cookie, and the name with `-1` to `-7` behind it, which no other cookie may have. Mind the limits of servers and proxies, often 8 kB for all
    /// headers of a request.
    ///
    /// # Errors
    /// Fails unless `most` is from 2 to 8.
    pub fn sealed_in_chunks(keys: KeyRing, most: usize) -> Result<Self, ConfigError> {
        if !(2..=MOST_CHUNKS).contains(&most) {
            return Err(ConfigError(format!("a session takes 2 to {MOST_CHUNKS} cookies, not {most}")));
        }
        Ok(Self::of(Form::Sealed(keys), most))
    }

    /// Writes each session in the format of another system, which reads and changes it too: values that are plain JSON stand
    /// under their keys, `cart.items` for a field of a struct. What else belongs to a session stands under the key
    /// `_sessionkit`, which the other system has to keep. Whoever has the cookie can read it, unless the format encrypts.
    ///
    /// The other system may begin sessions, change them and end them. Its deadlines hold besides those of the settings.
    pub fn shared(format: impl AuthenticatedFormat) -> Self {
        Self::of(Form::Shared(Sharing { format: Arc::new(format), top_level: None, user: None }), 1)
    }

    fn of(form: Form, most_chunks: usize) -> Self {
        Self { in_cookies: InCookies { form, most_chunks, revocations: None }, revocations: None }
    }

    /// Takes the fields of one struct from the top level of a [shared](Self::shared) cookie: the field `cart_id` of the struct
    /// is the key `cart_id`, as the other system has it.
    pub fn top_level<T: SessionData>(mut self) -> Self {
        if let Form::Shared(sharing) = &mut self.in_cookies.form {
            sharing.top_level = Some(T::NAMESPACE);
        }
        self
    }

    /// Takes the id of the user from a key of a [shared](Self::shared) cookie, and writes it there as a text: whom one system
    /// logs in or out, the other does too. A login of the other system is not fresh.
    pub fn user_key(self, key: impl Into<String>) -> Self {
        self.with_user_key(key.into(), false)
    }

    /// Takes the id of the user from a key as [`user_key`](Self::user_key) does, and writes it there as a number.
    pub fn numeric_user_key(self, key: impl Into<String>) -> Self {
        self.with_user_key(key.into(), true)
    }

    fn with_user_key(mut self, key: String, is_number: bool) -> Self {
        if let Form::Shared(sharing) = &mut self.in_cookies.form {
            sharing.user = Some(UserKey { key, is_number });
        }
        self
    }

    /// Notes in a store which sessions have ended before their time, for a scope with
    /// [`InRevocableCookie`](crate::InRevocableCookie): the logout of a user is final, and
    /// [`SessionManager::end_all`](crate::SessionManager::end_all) ends all sessions of a user.
    ///
    /// Each request that uses the session of a user loads one entry. If the store fails, such requests are answered 503. Sessions
    /// of visitors who are not logged in need no store, and cannot be ended.
    ///
    /// In a [shared](Self::shared) format the sessions that the other system begins for a user have no part in it: after
    /// `end_all` they open nothing for that user.
    pub fn revocable(self, store: impl Store) -> RevocableCookieSessions {
        let mut sessions = self;
        sessions.in_cookies.revocations = Some(Arc::new(ListedRevocations));
        sessions.revocations = Some(Arc::new(store));
        RevocableCookieSessions(sessions)
    }

    fn into_parts(self) -> (InCookies, Arc<dyn DynStore>) {
        (self.in_cookies, self.revocations.unwrap_or_else(|| Arc::new(MemoryStore::new())))
    }
}

/// Shows the form; keys and secrets are not shown.
impl fmt::Debug for CookieSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("CookieSessions");
        shown.field("is_sealed", &self.in_cookies.is_sealed());
        shown.field("is_revocable", &self.revocations.is_some()).finish_non_exhaustive()
    }
}

/// Sessions in cookies with revocations, from [`CookieSessions::revocable`].
#[derive(Debug)]
pub struct RevocableCookieSessions(CookieSessions);

/// Sets up the sessions of a home: [`CookieSessions`] for [`InCookie`](crate::InCookie), [`RevocableCookieSessions`] for
/// [`InRevocableCookie`](crate::InRevocableCookie).
#[diagnostic::on_unimplemented(
    message = "`{Self}` are not the sessions of a scope with `type Home = {Home}`",
    note = "`InCookie` takes `CookieSessions`, and `InRevocableCookie` takes `CookieSessions::..(..).revocable(store)`"
)]
pub trait SessionsOf<Home>: parts::Parts {}

impl SessionsOf<crate::scope::InCookie> for CookieSessions {}
impl SessionsOf<crate::scope::InRevocableCookie> for RevocableCookieSessions {}

pub(super) mod parts {
    use super::{Arc, CookieSessions, DynStore, InCookies, RevocableCookieSessions};

    pub trait Parts {
        #[expect(private_interfaces, reason = "nobody else can name the trait")]
        fn parts(self) -> (InCookies, Arc<dyn DynStore>);
    }

    impl Parts for CookieSessions {
        #[expect(private_interfaces, reason = "nobody else can name the trait")]
        fn parts(self) -> (InCookies, Arc<dyn DynStore>) {
            self.into_parts()
        }
    }

    impl Parts for RevocableCookieSessions {
        #[expect(private_interfaces, reason = "nobody else can name the trait")]
        fn parts(self) -> (InCookies, Arc<dyn DynStore>) {
            self.0.into_parts()
        }
    }
}
