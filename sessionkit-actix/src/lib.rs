//! The actix-web adapter of SessionKit. Applications reach it as `sessionkit::actix`.
//!
//! It holds no policy: it hands the head of a request to the engine, and does to the response what the engine says.

#![deny(missing_docs)]

mod csrf;
mod extractors;
mod guard;
mod guard_middleware;
mod middleware;
mod request;
mod respond;
#[cfg(feature = "testing")]
pub mod testing;

pub use csrf::{CsrfMiddleware, CsrfService};
pub use extractors::{
    Auth, CsrfToken, DynamicSession, MaybeSession, MaybeUser, Session, SessionHandle, SessionRejection, SessionView,
    User,
};
pub use guard::ActixGuard;
pub use guard_middleware::{GuardMiddleware, GuardService};
pub use middleware::{SessionMiddleware, SessionService};
