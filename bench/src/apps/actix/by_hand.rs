//! actix-web with the session written into the handlers.

use actix_web::http::header::{COOKIE, SET_COOKIE};
use actix_web::web::{Data, get};
use actix_web::{App, HttpRequest, HttpResponse};

use super::Visitor;
use crate::apps::by_hand::{Sessions, id, new_id};
use crate::candidate::Backend;
use crate::content::Visit;

pub(super) async fn app<V: Visitor>(backend: &Backend, visitor: V) -> V::Output {
    let Backend::Redis(url) = backend else { unreachable!("it is written for Redis") };
    let sessions = Data::new(Sessions::connect(url).await);
    let make = move || {
        App::new()
            .app_data(sessions.clone())
            .route("/fill", get().to(fill))
            .route("/untouched", get().to(async || "untouched"))
            .route("/read", get().to(read))
            .route("/write", get().to(write))
    };
    visitor.visit(make).await
}

async fn fill(sessions: Data<Sessions>) -> HttpResponse {
    let id = new_id();
    sessions.store(&id, &Visit::new()).await;
    let cookie = format!("id={id}; Path=/; HttpOnly; Secure; SameSite=Lax");
    HttpResponse::Ok().insert_header((SET_COOKIE, cookie)).body("filled")
}

async fn read(sessions: Data<Sessions>, request: HttpRequest) -> String {
    sessions.load(id(cookies(&request))).await.name
}

async fn write(sessions: Data<Sessions>, request: HttpRequest) -> String {
    let id = id(cookies(&request));
    let mut visit = sessions.load(id).await;
    let changed = visit.change();
    sessions.store(id, &visit).await;
    changed
}

fn cookies(request: &HttpRequest) -> &str {
    request.headers().get(COOKIE).and_then(|cookies| cookies.to_str().ok()).expect("the client has a cookie")
}
