//! The axum adapter of SessionKit. Applications reach it as `sessionkit::axum`.
//!
//! It holds no policy: it hands the head of a request to the engine, and does to the response what the engine says.

#![deny(missing_docs)]

mod auth;
mod csrf;
mod csrf_token;
mod dynamic;
mod extract;
mod guard;
mod guard_layer;
mod handle;
mod layer;
mod rejection;
mod session;
mod user;
mod view;

pub use auth::Auth;
pub use csrf::{CsrfFuture, CsrfLayer, CsrfService};
pub use csrf_token::CsrfToken;
pub use dynamic::DynamicSession;
pub use guard::AxumGuard;
pub use guard_layer::{GuardLayer, GuardService};
pub use handle::SessionHandle;
pub use layer::{SessionFuture, SessionLayer, SessionService};
pub use rejection::SessionRejection;
pub use session::{MaybeSession, Session};
pub use user::{MaybeUser, User};
pub use view::SessionView;
