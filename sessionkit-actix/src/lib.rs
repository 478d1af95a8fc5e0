//! The actix-web adapter of SessionKit. Applications reach it as `sessionkit::actix`.
//!
//! It holds no policy: it hands the head of a request to the engine, and does to the response what the engine says.

#![deny(missing_docs)]

mod auth;
mod csrf;
mod csrf_token;
mod dynamic;
mod extract;
mod guard;
mod guard_middleware;
mod handle;
mod middleware;
mod rejection;
mod respond;
mod session;
mod user;
mod view;

pub use auth::Auth;
pub use csrf::{CsrfMiddleware, CsrfService};
pub use csrf_token::CsrfToken;
pub use dynamic::DynamicSession;
pub use guard::ActixGuard;
pub use guard_middleware::{GuardMiddleware, GuardService};
pub use handle::SessionHandle;
pub use middleware::{SessionMiddleware, SessionService};
pub use rejection::SessionRejection;
pub use session::{MaybeSession, Session};
pub use user::{MaybeUser, User};
pub use view::SessionView;
