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
/// Not logged in: a person opening a page is sent to the login page, everything else gets 401. Logged in but not
/// allowed: 403. `layer = Marker` asks another session of the application; `crate = path` serves a renamed dependency.
pub use sessionkit_macros::session_actix as session;

#[doc(hidden)]
pub mod __private {
    pub use sessionkit_actix::Guarded;
    pub use sessionkit_core::RequireLogin;
}
