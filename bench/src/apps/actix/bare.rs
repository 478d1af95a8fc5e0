//! actix-web alone, with answers like those of the others.

use actix_web::web::{ServiceConfig, get};

use crate::content::NAME;

pub(super) fn routes(app: &mut ServiceConfig) {
    app.route("/fill", get().to(async || "filled"))
        .route("/untouched", get().to(async || "untouched"))
        .route("/read", get().to(async || NAME.to_owned()))
        .route("/write", get().to(async || 100_002.to_string()));
}
