//! Sessions for axum (feature `axum`).

pub use sessionkit_axum::{
    Auth, CsrfFuture, CsrfLayer, CsrfService, CsrfToken, DynamicSession, GuardLayer, GuardService, MaybeSession,
    MaybeUser, Session, SessionFuture, SessionHandle, SessionLayer, SessionRejection, SessionService, SessionView,
    User,
};
/// Guards a handler: `#[session(require_login)]`, `#[session(require = predicate)]`.
///
/// The guard decides before any argument of the handler is extracted, the body included. Several conditions mean all
/// of them. A predicate is a path or a closure `fn(&T) -> bool`, or `-> Result<bool, E>`, over any session struct; an
/// error is a 500, never a denial.
///
/// ```
/// use sessionkit::SessionData;
/// use sessionkit::axum::{Session, session};
///
/// #[derive(SessionData)]
/// struct Account {
///     is_admin: bool,
/// }
///
/// #[session(require_login, require = |account: &Account| account.is_admin)]
/// async fn admin() -> &'static str {
///     "secrets"
/// }
/// # let _: axum::Router = axum::Router::new().route("/admin", axum::routing::get(admin));
/// ```
///
/// Conditions are combined with `any(..)`, `all(..)` and `not(..)`; there are `require_fresh = "5m"` for a recent login,
/// `guest_only`, `requirement = Type` for what has to be awaited (see [`Requirement`](crate::Requirement)), and `public` to
/// say that everybody may.
///
/// Not logged in: a person opening a page is sent to the login page, everything else gets 401; so it is where a login is
/// not fresh. Logged in but not allowed: 403. `login_url` and `on_denied` change that for one guard,
/// [`with_login_url`](crate::SessionManager::with_login_url) and [`on_denied`](crate::SessionManager::on_denied) for all. `layer = Marker` asks another session of the application; `crate = path` serves a renamed dependency.
pub use sessionkit_macros::session_axum as session;

#[doc(hidden)]
pub mod __private {
    pub use sessionkit_axum::Guard;
    pub use sessionkit_core::{GuestOnly, Public, RequireFresh, RequireLogin};
}
