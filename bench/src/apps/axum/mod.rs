//! The candidates on axum.

mod axum_session;
mod bare;
mod by_hand;
mod guarded;
mod no_op;
mod sessionkit;
mod tower_sessions;

use axum::Router;

use crate::candidate::{Backend, Library};

/// Makes the application of a candidate.
pub async fn app(library: Library, backend: &Backend) -> Router {
    match library {
        Library::Bare => bare::app(),
        Library::NoOp => no_op::app(),
        Library::ByHand => by_hand::app(backend).await,
        Library::SessionKit => sessionkit::app(backend).await,
        Library::Guarded => guarded::app(),
        Library::TowerSessions => tower_sessions::app(backend).await,
        Library::AxumSession => axum_session::app(backend).await,
        Library::ActixSession => unreachable!("it is made for the other framework"),
    }
}
