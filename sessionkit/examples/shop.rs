//! A small shop on axum: `cargo run --example shop`. Its twin on actix-web is `shop-actix.rs`.
//!
//! Sessions live in this process; `SESSION_STORE=redis://localhost` keeps them in Redis. `ADDR` says where to listen.

#[path = "shop/mod.rs"]
mod shop;

use std::error::Error;

use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use sessionkit::axum::{Auth, Session, SessionLayer, SessionRejection, SessionView, session};
use shop::accounts;
use shop::forms::{CartForm, LoginForm, Next};
use shop::pages::{self, Frame};
use shop::state::{Account, Cart, Visit};

async fn browse(account: SessionView<Account>, cart: SessionView<Cart>, mut visit: Session<Visit>) -> Html<String> {
    Html(pages::browse(&Frame::new(&account, &cart, visit.notice.take())))
}

async fn show_cart(account: SessionView<Account>, cart: SessionView<Cart>, mut visit: Session<Visit>) -> Html<String> {
    Html(pages::cart(&Frame::new(&account, &cart, visit.notice.take())))
}

async fn change_cart(mut cart: Session<Cart>, mut visit: Session<Visit>, Form(form): Form<CartForm>) -> Response {
    let Some(product) = form.product() else { return not_found().await.into_response() };
    match form.quantity {
        Some(quantity) => {
            cart.set(product, quantity);
            Redirect::to("/cart").into_response()
        }
        None => {
            cart.add(product);
            visit.notice = Some(format!("{} is in your cart.", product.name));
            Redirect::to("/").into_response()
        }
    }
}

async fn show_login(Query(next): Query<Next>) -> Html<String> {
    Html(pages::login(&next, None))
}

async fn login(auth: Auth, Form(form): Form<LoginForm>) -> Result<Response, SessionRejection> {
    let Some(person) = accounts::check(&form.user, &form.password) else {
        let page = Html(pages::login(&form.next, Some("That user and password do not go together.")));
        return Ok((StatusCode::UNAUTHORIZED, page).into_response());
    };
    auth.login(person.user).lifetime(form.lifetime()).await?;
    // Checked out after the login: what was extracted before may be another user's.
    *auth.checkout::<Account>().await? = person.into();
    auth.checkout::<Visit>().await?.notice = Some(format!("Welcome, {}.", person.name));
    Ok(Redirect::to(form.next.path().as_str()).into_response())
}

async fn logout(auth: Auth) -> Result<Redirect, SessionRejection> {
    auth.logout().await?;
    Ok(Redirect::to("/"))
}

#[session(require_login, require = |account: &Account| account.is_admin)]
async fn admin(account: SessionView<Account>, cart: SessionView<Cart>, mut visit: Session<Visit>) -> Html<String> {
    Html(pages::admin(&Frame::new(&account, &cart, visit.notice.take())))
}

async fn show_session(
    auth: Auth,
    account: SessionView<Account>,
    cart: SessionView<Cart>,
    mut visit: Session<Visit>,
) -> Result<Html<String>, SessionRejection> {
    let info = auth.info().await?;
    // Counting is a change, and a visitor who only looks around needs no session for it.
    if info.is_some() {
        visit.views += 1;
    }
    let frame = Frame::new(&account, &cart, visit.notice.take());
    Ok(Html(pages::session(&frame, info.as_ref(), visit.views)))
}

async fn api_session(auth: Auth, cart: SessionView<Cart>) -> Result<Json<serde_json::Value>, SessionRejection> {
    Ok(Json(pages::session_json(auth.info().await?.as_ref(), &cart)))
}

async fn not_found() -> (StatusCode, Html<String>) {
    (StatusCode::NOT_FOUND, Html(pages::not_found()))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let sessions = shop::sessions().await?;
    let app = Router::new()
        .route("/", get(browse))
        .route("/cart", get(show_cart).post(change_cart))
        .route("/login", get(show_login).post(login))
        .route("/logout", post(logout))
        .route("/admin", get(admin))
        .route("/session", get(show_session))
        .route("/api/session", get(api_session))
        .fallback(not_found)
        .layer(SessionLayer::new(sessions.clone()));

    let listener = tokio::net::TcpListener::bind(shop::address()).await?;
    shop::announce(listener.local_addr()?);
    let ctrl_c = async { tokio::signal::ctrl_c().await.expect("the runtime handles signals") };
    axum::serve(listener, app).with_graceful_shutdown(ctrl_c).await?;
    // Requests whose clients left may still be storing something.
    sessions.drain().await;
    Ok(())
}
