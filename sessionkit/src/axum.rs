//! Sessions for axum (feature `axum`).

#[cfg(feature = "testing")]
pub use sessionkit_axum::testing;
pub use sessionkit_axum::{
    Auth, CsrfFuture, CsrfLayer, CsrfService, CsrfToken, DynamicSession, GuardLayer, GuardService, MaybeSession,
    MaybeUser, Session, SessionFuture, SessionHandle, SessionLayer, SessionRejection, SessionService, SessionView,
    User,
};
/// Guards a handler: `#[session(require_login)]`, `#[session(require = predicate)]`.
///
/// The guard decides before any argument of the handler is extracted, the body included. A predicate is a path or a closure,
/// `fn(&T) -> bool` or `fn(&T) -> Result<bool, E>`, where `T` is a struct that derives [`SessionData`](crate::SessionData), a
/// user who implements [`SessionUser`](crate::SessionUser), or the [`SessionInfo`](crate::SessionInfo); an error is a 500,
/// never a denial. What has to be awaited is a [`Requirement`](crate::Requirement).
///
/// ```
/// use sessionkit::SessionData;
/// use sessionkit::axum::session;
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
/// Not logged in: a person opening a page is sent to the login page, everything else gets 401; so it is where a login is
/// not fresh. Logged in but not allowed: 403. `login_url` and `on_denied` change that for one guard,
/// [`login_url`](crate::SessionManagerBuilder::login_url) and [`on_denied`](crate::SessionManagerBuilder::on_denied) for all. The
/// guide has a page about [guards](crate::guide::guards).
pub use sessionkit_macros::session_axum as session;

#[doc(hidden)]
pub mod __private {
    pub use sessionkit_axum::AxumGuard;
}
