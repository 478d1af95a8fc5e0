//! A small shop on axum: `cargo run --example shop`. Its twin on actix-web is `shop-actix.rs`.
//!
//! Sessions live in this process; `SESSION_STORE=redis://localhost` keeps them in Redis. `ADDR` says where to listen.

#[path = "shop/mod.rs"]
mod shop;

use std::error::Error;

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, USER_AGENT};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use sessionkit::SessionUser as _;
use sessionkit::axum::{
    Auth, CsrfLayer, CsrfToken, MaybeUser, Session, SessionHandle, SessionLayer, SessionRejection, SessionView, User,
    session,
};
use shop::Shop;
use shop::accounts::Person;
use shop::forms::{self, CartForm, LoginForm, Next, PasswordForm};
use shop::pages::{self, Frame};
use shop::state::{Cart, Rights, Visit};

type Answer = Result<Response, SessionRejection>;

async fn browse(person: MaybeUser<Person>, cart: SessionView<Cart>, mut visit: Session<Visit>) -> Html<String> {
    Html(pages::browse(&Frame::new(person.as_deref(), &cart, visit.notice.take())))
}

async fn show_cart(person: MaybeUser<Person>, cart: SessionView<Cart>, mut visit: Session<Visit>) -> Html<String> {
    Html(pages::cart(&Frame::new(person.as_deref(), &cart, visit.notice.take())))
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

async fn login(auth: Auth, State(shop): State<Shop>, headers: HeaderMap, Form(form): Form<LoginForm>) -> Answer {
    let Some(person) = shop.accounts.check(&form.user, &form.password) else {
        let page = Html(pages::login(&form.next, Some("That user and password do not go together.")));
        return Ok((StatusCode::UNAUTHORIZED, page).into_response());
    };
    let device = forms::device(headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()));
    let login = auth.login(person.id).lifetime(form.lifetime()).device(device);
    login.credential_stamp(person.credential_stamp()).await?;
    // Checked out after the login: what was extracted before may be another user's.
    auth.checkout::<Rights>().await?.is_admin = person.is_admin;
    auth.checkout::<Visit>().await?.notice = Some(format!("Welcome, {}.", person.name));
    Ok(Redirect::to(form.next.path().as_str()).into_response())
}

async fn logout(auth: Auth) -> Result<Redirect, SessionRejection> {
    auth.logout().await?;
    Ok(Redirect::to("/"))
}

#[session(require_login)]
async fn account(auth: Auth, person: User<Person>, cart: SessionView<Cart>, mut visit: Session<Visit>) -> Answer {
    let info = auth.info().await?.expect("the guard saw a session");
    Ok(private(pages::account(&Frame::new(Some(&person), &cart, visit.notice.take()), &info)))
}

#[session(require_login)]
async fn live(handle: SessionHandle, State(shop): State<Shop>) -> Response {
    let events = shop::live::events((*handle).clone(), &shop.closing);
    ([(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-store")], Body::from_stream(events)).into_response()
}

#[session(require_login)]
async fn show_password(token: CsrfToken, person: User<Person>, cart: SessionView<Cart>) -> Response {
    private(pages::password(&Frame::new(Some(&person), &cart, None), &token.hidden_field(), None))
}

#[session(require_login)]
async fn change_password(
    auth: Auth,
    token: CsrfToken,
    person: User<Person>,
    cart: SessionView<Cart>,
    State(shop): State<Shop>,
    Form(form): Form<PasswordForm>,
) -> Answer {
    token.verify(&form.csrf_token)?;
    let changed = if shop.accounts.check(person.id, &form.current).is_some() {
        form.password().map(|password| shop.accounts.change_password(person.id, password))
    } else {
        Err("That is not your current password.")
    };
    let stamp = match changed {
        Ok(person) => person.and_then(|person| person.credential_stamp()),
        Err(error) => {
            let frame = Frame::new(Some(&person), &cart, None);
            return Ok(private(pages::password(&frame, &token.hidden_field(), Some(error))));
        }
    };
    // This session goes on, with the stamp of the new password; those that began with the old one do not.
    auth.reauthenticate().credential_stamp(stamp).await?;
    auth.checkout::<Visit>().await?.notice = Some("Your password is changed.".to_owned());
    Ok(Redirect::to("/account").into_response())
}

#[session(require_login, require = |rights: &Rights| rights.is_admin)]
async fn stock(person: User<Person>, cart: SessionView<Cart>, mut visit: Session<Visit>) -> Response {
    private(pages::stock(&Frame::new(Some(&person), &cart, visit.notice.take())))
}

async fn show_session(
    auth: Auth,
    person: MaybeUser<Person>,
    rights: SessionView<Rights>,
    cart: SessionView<Cart>,
    mut visit: Session<Visit>,
) -> Result<Html<String>, SessionRejection> {
    let info = auth.info().await?;
    // Counting is a change, and a visitor who only looks around needs no session for it.
    if info.is_some() {
        visit.views += 1;
    }
    let frame = Frame::new(person.as_deref(), &cart, visit.notice.take());
    Ok(Html(pages::session(&frame, info.as_ref(), &rights, visit.views)))
}

async fn api_session(auth: Auth, cart: SessionView<Cart>) -> Result<Json<serde_json::Value>, SessionRejection> {
    Ok(Json(pages::session_json(auth.info().await?.as_ref(), &cart)))
}

async fn not_found() -> (StatusCode, Html<String>) {
    (StatusCode::NOT_FOUND, Html(pages::not_found()))
}

/// A page that nobody may keep.
fn private(page: String) -> Response {
    ([(CACHE_CONTROL, "no-store")], Html(page)).into_response()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let shop = Shop::open().await?;
    let app = Router::new()
        .route("/", get(browse))
        .route("/cart", get(show_cart).post(change_cart))
        .route("/login", get(show_login).post(login))
        .route("/logout", post(logout))
        .route("/account", get(account))
        .route("/live", get(live))
        .route("/password", get(show_password).post(change_password))
        .route("/admin", get(stock))
        .route("/session", get(show_session))
        .route("/api/session", get(api_session))
        .fallback(not_found)
        .with_state(shop.clone())
        .layer(CsrfLayer::new(shop::protection()))
        .layer(SessionLayer::new(shop.sessions.clone()));

    let listener = tokio::net::TcpListener::bind(shop::address()).await?;
    shop::announce(listener.local_addr()?);
    let closing = shop.closing.clone();
    let ctrl_c = async move {
        tokio::signal::ctrl_c().await.expect("the runtime handles signals");
        closing.begin();
    };
    axum::serve(listener, app).with_graceful_shutdown(ctrl_c).await?;
    // Requests whose clients left may still be storing something.
    shop.sessions.drain().await;
    Ok(())
}
