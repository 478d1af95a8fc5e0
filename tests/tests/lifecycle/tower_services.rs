//! Tests of axum's layers over services of tower that have bodies of their own, as those of hyper and tonic do.

use std::convert::Infallible;

use axum::extract::FromRequestParts as _;
use axum::http::{Request, Response, StatusCode};
use axum::response::IntoResponse;
use sessionkit::axum::{Auth, CsrfLayer, GuardLayer, Session, SessionLayer, SessionRejection};
use sessionkit::{CrossOriginProtection, MemoryStore, Rules, SessionConfig, SessionData, SessionManager};
use tower::{Layer as _, ServiceExt as _, service_fn};

#[derive(SessionData)]
struct Cart {
    items: Vec<String>,
}

/// A body that is no body for axum.
struct Message(&'static str);

async fn handle(request: Request<Message>) -> Result<Response<String>, SessionRejection> {
    let (mut parts, Message(item)) = request.into_parts();
    if parts.uri.path() == "/login" {
        let auth: Auth = Auth::from_request_parts(&mut parts, &()).await?;
        auth.login("ada").await?;
        return Ok(Response::new("ada".to_owned()));
    }
    let mut cart = Session::<Cart>::from_request_parts(&mut parts, &()).await?;
    cart.items.push(item.to_owned());
    Ok(Response::new(cart.items.join("+")))
}

async fn answer(request: Request<Message>) -> Result<axum::response::Response, Infallible> {
    Ok(handle(request).await.into_response())
}

/// A service whose response body is not axum's either.
async fn plain(request: Request<Message>) -> Result<Response<String>, Infallible> {
    let status = if request.uri().path() == "/plain" { StatusCode::OK } else { StatusCode::NOT_FOUND };
    let mut response = Response::new("plain".to_owned());
    *response.status_mut() = status;
    Ok(response)
}

fn request(path: &str, cookie: &str, site: &str) -> Request<Message> {
    let request = Request::post(path).header("cookie", cookie).header("sec-fetch-site", site);
    request.body(Message("tea")).expect("a request")
}

async fn text(response: axum::response::Response) -> (u16, String) {
    let status = response.status().as_u16();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("the body ends");
    (status, String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test]
async fn sessions_guards_and_protection_do_not_need_axums_bodies() {
    let sessions = SessionLayer::new(SessionManager::new(MemoryStore::new(), SessionConfig::default()));
    let protection = CsrfLayer::new(CrossOriginProtection::new());
    let guard = GuardLayer::new(Rules::new().require_login());
    let open = sessions.layer(protection.layer(service_fn(answer)));
    let guarded = sessions.layer(protection.layer(guard.layer(service_fn(answer))));

    let own = "same-origin";
    let Ok(response) = open.clone().oneshot(request("/login", "", own)).await;
    let cookie =
        response.headers()["set-cookie"].to_str().expect("text").split(';').next().expect("a value").to_owned();
    assert_eq!(text(response).await, (200, "ada".to_owned()));
    for (service_cookie, site, status) in [(&*cookie, own, 200), ("", own, 401), (&cookie, "cross-site", 403)] {
        let Ok(response) = guarded.clone().oneshot(request("/cart", service_cookie, site)).await;
        assert_eq!(response.status(), status);
    }
    let Ok(response) = guarded.oneshot(request("/cart", &cookie, own)).await;
    assert_eq!(text(response).await, (200, "tea+tea".to_owned()));
}

#[tokio::test]
async fn a_response_may_have_any_body_that_is_one() {
    let sessions = SessionLayer::new(SessionManager::new(MemoryStore::new(), SessionConfig::default()));
    let service = sessions.withhold_unguarded().layer(service_fn(plain));
    let Ok(response) = service.clone().oneshot(request("/plain", "", "none")).await;
    assert_eq!(response.status(), 403, "nobody guards it");
    let Ok(response) = service.oneshot(request("/other", "", "none")).await;
    assert_eq!(text(response).await, (404, "plain".to_owned()));
}
