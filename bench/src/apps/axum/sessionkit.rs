//! SessionKit on axum, with its defaults.

use axum::Router;
use axum::routing::get;
use sessionkit::axum::{Session, SessionLayer};

use crate::apps::manager;
use crate::candidate::Backend;
use crate::content::Visit;

pub(super) async fn app(backend: &Backend) -> Router {
    Router::new()
        .route("/fill", get(fill))
        .route("/untouched", get(async || "untouched"))
        .route("/read", get(read))
        .route("/write", get(write))
        .layer(SessionLayer::new(manager(backend).await))
}

async fn fill(mut visit: Session<Visit>) -> &'static str {
    *visit = Visit::new();
    "filled"
}

async fn read(visit: Session<Visit>) -> String {
    visit.name.clone()
}

async fn write(mut visit: Session<Visit>) -> String {
    visit.change()
}
