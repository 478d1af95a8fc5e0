//! SessionKit on actix-web, with its defaults.

use actix_web::App;
use actix_web::web::get;
use sessionkit::actix::{Session, SessionMiddleware};

use super::Visitor;
use crate::apps::manager;
use crate::candidate::Backend;
use crate::content::Visit;

pub(super) async fn app<V: Visitor>(backend: &Backend, visitor: V) -> V::Output {
    let manager = manager(backend).await;
    let make = move || {
        App::new()
            .route("/fill", get().to(fill))
            .route("/untouched", get().to(async || "untouched"))
            .route("/read", get().to(read))
            .route("/write", get().to(write))
            .wrap(SessionMiddleware::new(manager.clone()))
    };
    visitor.visit(make).await
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
