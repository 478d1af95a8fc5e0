//! The scope of a session: the name that tells the sessions of one application apart, and where they lie.

/// Names one session of an application that has several, a shop's and its back office's for example, and says where it lies.
///
/// ```
/// # use sessionkit_core as sessionkit;
/// use sessionkit::{OnServer, SessionScope};
///
/// struct Office;
///
/// impl SessionScope for Office {
///     const NAME: &'static str = "Office";
///     type Home = OnServer;
/// }
/// ```
///
/// A struct joins it with `#[session(scope = Office)]`; each scope needs a cookie of its own name.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name a session scope",
    note = "write `impl SessionScope for {Self} {{ const NAME: &'static str = \"..\"; type Home = OnServer; }}`"
)]
pub trait SessionScope: Send + Sync + 'static {
    /// The name, in logs and in what is stored: under another name the sessions of before open nothing.
    const NAME: &'static str;

    /// The place where the sessions lie: [`OnServer`] in a store, [`InCookie`] or [`InRevocableCookie`] with their client.
    type Home: SessionHome;
}

/// The scope of everything that names no other. Its sessions lie on the server.
#[derive(Clone, Copy, Debug)]
pub struct MainScope;

impl SessionScope for MainScope {
    const NAME: &'static str = "Main";
    type Home = OnServer;
}

/// The place where the sessions of a scope lie: [`OnServer`], [`InCookie`] or [`InRevocableCookie`].
pub trait SessionHome: home::Home {}

/// A place from which a logout is final: no copy of the cookie opens the session after it.
///
/// Code that relies on it demands it:
///
/// ```
/// # use sessionkit_core as sessionkit;
/// use sessionkit::{FinalLogout, SessionManager, SessionScope};
///
/// fn payments<Scope: SessionScope<Home: FinalLogout>>(sessions: SessionManager<Scope>) {
///     # let _ = sessions;
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "a logout is not final for sessions that lie in the cookie",
    note = "a copy of the cookie opens the session until its deadline; keep the sessions in a store (`type Home = OnServer`), or \
            add revocations (`type Home = InRevocableCookie`)"
)]
pub trait FinalLogout: SessionHome {}

/// A place from which the sessions of a user can be listed and ended one by one.
#[diagnostic::on_unimplemented(
    message = "the devices of a user are not known for sessions that lie in the cookie",
    note = "no server has a list of them; keep the sessions in a store: `type Home = OnServer`"
)]
pub trait ListsDevices: FinalLogout {}

/// A place whose sessions lie in the cookies themselves.
#[diagnostic::on_unimplemented(
    message = "the sessions of this scope lie on the server",
    note = "write `type Home = InCookie` or `type Home = InRevocableCookie` in the `impl SessionScope`"
)]
pub trait CookieHome: SessionHome {}

/// The sessions lie in a [`Store`](crate::Store), and the cookie holds a token: the default, with all that SessionKit promises.
#[derive(Clone, Copy, Debug)]
pub struct OnServer;

/// The sessions lie in the cookies themselves, and no server knows of them. See
/// [`CookieSessions`](crate::CookieSessions) for what that cannot promise.
#[derive(Clone, Copy, Debug)]
pub struct InCookie;

/// The sessions lie in the cookies themselves, and a store knows which of them have ended before their time.
#[derive(Clone, Copy, Debug)]
pub struct InRevocableCookie;

impl SessionHome for OnServer {}
impl SessionHome for InCookie {}
impl SessionHome for InRevocableCookie {}
impl FinalLogout for OnServer {}
impl FinalLogout for InRevocableCookie {}
impl ListsDevices for OnServer {}
impl CookieHome for InCookie {}
impl CookieHome for InRevocableCookie {}

/// Closes the traits of homes: what a home promises is kept by the engine.
mod home {
    pub trait Home: Send + Sync + 'static {}

    impl Home for super::OnServer {}
    impl Home for super::InCookie {}
    impl Home for super::InRevocableCookie {}
}
