//! The axum adapter of SessionKit. Applications reach it as `sessionkit::axum`.
//!
//! It holds no policy: it hands the head of a request to the engine, and does to the response what the engine says.

#![deny(missing_docs)]

#[cfg(feature = "aide")]
mod aide;
mod csrf;
mod extractors;
mod guard;
mod guard_layer;
mod layer;
mod request;
#[cfg(feature = "testing")]
pub mod testing;

pub use csrf::{CsrfFuture, CsrfLayer, CsrfService};
pub use extractors::{
    Auth, CsrfToken, DynamicSession, MaybeSession, MaybeUser, Session, SessionHandle, SessionRejection, SessionView,
    User,
};
pub use guard::AxumGuard;
pub use guard_layer::{GuardLayer, GuardService};
pub use layer::{SessionFuture, SessionLayer, SessionService};
