//! The shop on axum.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Json, Path};
use axum::http::Request;
use axum::routing::{any, get, post};
use axum::{BoxError, Router};
use sessionkit::MemoryStore;
use sessionkit::axum::{Auth, Session, SessionLayer, SessionRejection, session};
use tower::ServiceExt as _;

use crate::combinations::{combined_handlers, combined_routes};
use crate::http::{Answer, App, Ask, TestStore};
use crate::shop::{Managers, handlers, routes};

handlers!();
combined_handlers!();

pub(crate) struct Axum {
    router: Router,
    store: TestStore,
}

/// The shop with its layers.
pub(crate) fn shop() -> Axum {
    layered(router())
}

/// The shop without any layer.
pub(crate) fn unlayered() -> Axum {
    Axum { router: router(), store: TestStore::new(MemoryStore::new()) }
}

/// Handlers in all shapes.
pub(crate) fn shapes() -> Axum {
    let router = Router::new().route("/login/{user}", post(login));
    layered(
        router
            .merge(crate::shapes::axum::router())
            .merge(crate::neighbours::axum::router())
            .merge(crate::arity::axum::router()),
    )
}

fn router() -> Router {
    let pages = Router::new().fallback(any(page));
    let pages = pages.route("/combined/set/{bits}", post(set_cart));
    let pages = combined_routes!([get]).into_iter().fold(pages, |router, (path, route)| router.route(path, route));
    routes!([get][post]).into_iter().fold(pages, |router, (path, route)| router.route(path, route))
}

fn layered(router: Router) -> Axum {
    let Managers { main, office, store } = Managers::new();
    Axum { router: router.layer(SessionLayer::new(main)).layer(SessionLayer::new(office)), store }
}

impl App for Axum {
    async fn answer(&self, ask: Ask) -> Answer {
        let polled = ask.body.count();
        let mut request = Request::builder().method(ask.method).uri(ask.target);
        for (name, value) in ask.headers {
            request = request.header(name, value);
        }
        let body = Body::from_stream(ask.body.stream::<Bytes, BoxError>());
        let response = self.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        let (head, body) = response.into_parts();
        let headers = head.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Answer {
            status: head.status.as_u16(),
            headers: headers.collect(),
            body: String::from_utf8(body.into()).unwrap(),
            polled: polled(),
        }
    }

    fn store(&self) -> &TestStore {
        &self.store
    }
}
