//! axum alone, with answers like those of the others.

use axum::Router;
use axum::routing::get;

use crate::content::NAME;

pub(super) fn app() -> Router {
    Router::new()
        .route("/fill", get(async || "filled"))
        .route("/untouched", get(async || "untouched"))
        .route("/read", get(async || NAME.to_owned()))
        .route("/write", get(async || 100_002.to_string()))
}
