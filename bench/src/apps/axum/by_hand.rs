//! axum with the session written into the handlers.

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::response::AppendHeaders;
use axum::routing::get;

use crate::apps::by_hand::{Sessions, id, new_id};
use crate::candidate::Backend;
use crate::content::Visit;

pub(super) async fn app(backend: &Backend) -> Router {
    let Backend::Redis(url) = backend else { unreachable!("it is written for Redis") };
    Router::new()
        .route("/fill", get(fill))
        .route("/untouched", get(async || "untouched"))
        .route("/read", get(read))
        .route("/write", get(write))
        .with_state(Sessions::connect(url).await)
}

async fn fill(
    State(sessions): State<Sessions>,
) -> (AppendHeaders<[(axum::http::HeaderName, String); 1]>, &'static str) {
    let id = new_id();
    sessions.store(&id, &Visit::new()).await;
    (AppendHeaders([(SET_COOKIE, format!("id={id}; Path=/; HttpOnly; Secure; SameSite=Lax"))]), "filled")
}

async fn read(State(sessions): State<Sessions>, headers: HeaderMap) -> String {
    sessions.load(id(cookies(&headers))).await.name
}

async fn write(State(sessions): State<Sessions>, headers: HeaderMap) -> String {
    let id = id(cookies(&headers));
    let mut visit = sessions.load(id).await;
    let changed = visit.change();
    sessions.store(id, &visit).await;
    changed
}

fn cookies(headers: &HeaderMap) -> &str {
    headers.get(COOKIE).and_then(|cookies| cookies.to_str().ok()).expect("the client has a cookie")
}
