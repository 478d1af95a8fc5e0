//! Guarded handlers in the routers of other crates: `aide` and `axum_extra`.

use aide::axum::ApiRouter;
use aide::axum::routing::{get_with, post};
use aide::openapi::{OpenApi, StatusCode};
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::routing::get;
use axum_extra::routing::{RouterExt as _, TypedPath};
use serde::Deserialize;
use sessionkit::axum::{
    Auth, CsrfToken, DynamicSession, GuardLayer, MaybeSession, MaybeUser, Session, SessionHandle, SessionLayer,
    SessionRejection, SessionView, User, session,
};
use sessionkit::testing::{TestSession, TestUsers};
use sessionkit::{MemoryStore, Rules, SessionData, SessionManager, SessionUser};
use tower::ServiceExt as _;

#[derive(SessionData)]
struct Cart {
    items: u32,
}

#[derive(Clone)]
struct Account;

impl SessionUser for Account {}

#[session(require_login)]
async fn count(mut cart: Session<Cart>) -> String {
    cart.items += 1;
    format!("{}", cart.items)
}

#[session(require = |cart: &Cart| cart.items > 0, require_login)]
async fn full(_: SessionView<Cart>, _: Option<Session<Cart>>, _: MaybeSession<Cart>) -> String {
    "full".to_owned()
}

#[session(public)]
async fn everything(
    _: Auth,
    _: MaybeUser<Account>,
    _: DynamicSession,
    _: SessionHandle,
    _: CsrfToken,
) -> Result<String, SessionRejection> {
    Ok("everything".to_owned())
}

async fn profile(_: User<Account>) -> String {
    "profile".to_owned()
}

fn manager() -> SessionManager {
    SessionManager::builder(MemoryStore::new()).user_loader(TestUsers::new([("ada", Account)])).build()
}

async fn send(app: &Router, method: &str, path: &str, cookie: &str) -> (u16, String) {
    let request = Request::builder().method(method).uri(path).header("cookie", cookie).body(Body::empty()).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn aide_takes_guarded_handlers_and_documents_their_refusals() {
    aide::generate::infer_responses(true);
    let manager = manager();
    let mut api = OpenApi::default();
    let app: Router = ApiRouter::new()
        .api_route("/count", post(count))
        .api_route("/full", get_with(full, |operation| operation.summary("A full cart")))
        .api_route("/everything", aide::axum::routing::get(everything))
        .api_route("/profile", aide::axum::routing::get(profile))
        .finish_api(&mut api)
        .layer(SessionLayer::new(manager.clone()));
    let ada = TestSession::new(&manager).login("ada").await.cookie();
    for (method, path, status, body) in [
        ("GET", "/full", 403, ""),
        ("POST", "/count", 200, "1"),
        ("GET", "/full", 200, "full"),
        ("GET", "/everything", 200, "everything"),
        ("GET", "/profile", 200, "profile"),
    ] {
        let answer = send(&app, method, path, &ada).await;
        assert!(answer.0 == status && (status != 200 || answer.1 == body), "{path}: {answer:?}");
    }
    for (method, path, status) in [("POST", "/count", 401), ("GET", "/everything", 200), ("GET", "/profile", 401)] {
        assert_eq!(send(&app, method, path, "").await.0, status, "{path}");
    }
    let paths = api.paths.unwrap();
    let documented = |path: &str| -> Vec<u16> {
        let item = paths.paths[path].clone().into_item().unwrap();
        let operation = item.get.or(item.post).unwrap();
        let codes = operation.responses.unwrap().responses.into_keys();
        let mut codes: Vec<u16> = codes
            .map(|code| match code {
                StatusCode::Code(code) => code,
                StatusCode::Range(range) => panic!("{range}"),
            })
            .collect();
        codes.sort_unstable();
        codes
    };
    assert_eq!(documented("/count"), [200, 401, 403]);
    assert_eq!(documented("/full"), [200, 401, 403]);
    assert_eq!(documented("/profile"), [200, 401]);
    assert_eq!(documented("/everything"), [200]);
}

#[derive(Deserialize, TypedPath)]
#[typed_path("/orders/{id}")]
struct Order {
    id: u32,
}

#[session(require_login)]
async fn order(Order { id }: Order, cart: SessionView<Cart>) -> String {
    format!("{id} {}", cart.items)
}

async fn order_that_asks(Order { id }: Order, auth: Auth) -> Result<String, SessionRejection> {
    auth.require_login().await?;
    Ok(format!("{id}"))
}

async fn unguarded(Order { id }: Order) -> String {
    format!("{id}")
}

/// `typed_get` wants the path as the first argument, where the guard is. The path is a constant, for `route`.
#[tokio::test]
async fn a_typed_path_has_a_guard() {
    let manager = manager();
    let ada = TestSession::new(&manager).login("ada").await.cookie();
    for (routes, body) in [
        (Router::new().route(Order::PATH, get(order)), "7 0"),
        (Router::new().typed_get(order_that_asks), "7"),
        (Router::new().typed_get(unguarded).route_layer(GuardLayer::new(Rules::new().require_login())), "7"),
    ] {
        let app: Router = routes.layer(SessionLayer::new(manager.clone()));
        assert_eq!(send(&app, "GET", "/orders/7", &ada).await, (200, body.to_owned()));
        assert_eq!(send(&app, "GET", "/orders/7", "").await.0, 401, "{body}");
    }
}
