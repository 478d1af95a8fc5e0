//! Sessions for actix-web (feature `actix`).

pub use sessionkit_actix::{
    Auth, CsrfMiddleware, CsrfService, CsrfToken, DynamicSession, GuardMiddleware, GuardService, MaybeSession,
    MaybeUser, Session, SessionHandle, SessionMiddleware, SessionRejection, SessionService, SessionView, User,
};
/// Guards a handler: `#[session(require_login)]`, `#[session(require = predicate)]`.
///
/// The guard decides before any argument of the handler is extracted, the body included. Several conditions mean all
/// of them. A predicate is a path or a closure `fn(&T) -> bool`, or `-> Result<bool, E>`, over any session struct; an
/// error is a 500, never a denial.
///
/// ```
/// use sessionkit::SessionData;
/// use sessionkit::actix::{Session, session};
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
/// # let _ = actix_web::App::new().route("/admin", actix_web::web::get().to(admin));
/// ```
///
/// Conditions are combined with `any(..)`, `all(..)` and `not(..)`; there are `require_fresh = "5m"` for a recent login,
/// `guest_only`, `requirement = Type` for what has to be awaited (see [`Requirement`](crate::Requirement)), and `public` to
/// say that everybody may.
///
/// Not logged in: a person opening a page is sent to the login page, everything else gets 401; so it is where a login is
/// not fresh. Logged in but not allowed: 403. `login_url` and `on_denied` change that for one guard,
/// [`with_login_url`](crate::SessionManager::with_login_url) and [`on_denied`](crate::SessionManager::on_denied) for all. `layer = Marker` asks another session of the application; `crate = path` serves a renamed dependency.
pub use sessionkit_macros::session_actix as session;

#[doc(hidden)]
pub mod __private {
    pub use sessionkit_actix::Guarded;
    pub use sessionkit_core::{GuestOnly, Public, RequireFresh, RequireLogin};
}
