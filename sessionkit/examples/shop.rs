//! A small shop on axum: `cargo run --example shop`. Its twin on actix-web is `shop-actix.rs`.
//!
//! Sessions live in this process unless `SESSION_STORE` names a store, `redis://localhost` for example. `ADDR` says where to
//! listen.

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
use shop::forms::{self, CartForm, DeviceForm, LoginForm, Next, OthersForm, PasswordForm, PersonForm};
use shop::pages::{self, Frame};
use shop::state::{Cart, Visit};

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

async fn show_login(known: MaybeUser<Person>, Query(next): Query<Next>) -> Response {
    private(pages::login(known.as_deref(), &next, None))
}

async fn login(
    auth: Auth,
    known: MaybeUser<Person>,
    State(shop): State<Shop>,
    headers: HeaderMap,
    Form(form): Form<LoginForm>,
) -> Answer {
    let Some(person) = shop.accounts.check(&form.user, &form.password) else {
        let page = pages::login(known.as_deref(), &form.next, Some("That password does not fit."));
        return Ok((StatusCode::UNAUTHORIZED, private(page)).into_response());
    };
    let next = Redirect::to(form.next.path().as_str()).into_response();
    // The guard of another page asked: the session goes on, and its login is a fresh one.
    if known.as_ref().is_some_and(|known| known.id == person.id) {
        auth.reauthenticate().await?;
        return Ok(next);
    }
    let device = forms::device(headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok()));
    let login = auth.login(person.id).lifetime(form.lifetime()).device_label(device);
    login.credential_stamp(person.credential_stamp()).await?;
    // Checked out after the login: what was extracted before may be another user's.
    auth.checkout::<Visit>().await?.notice = Some(format!("Welcome, {}.", person.name));
    Ok(next)
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
    let events = shop::live::events(&handle, &shop.closing);
    ([(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-store")], Body::from_stream(events)).into_response()
}

#[session(require_login)]
async fn devices(
    auth: Auth,
    token: CsrfToken,
    person: User<Person>,
    cart: SessionView<Cart>,
    mut visit: Session<Visit>,
) -> Answer {
    let info = auth.info().await?.expect("the guard saw a session");
    let devices = auth.devices().list().await?;
    let frame = Frame::new(Some(&person), &cart, visit.notice.take());
    Ok(private(pages::devices(&frame, &devices, info.as_of, &token.hidden_field())))
}

#[session(require_login)]
async fn end_device(auth: Auth, token: CsrfToken, mut visit: Session<Visit>, Form(form): Form<DeviceForm>) -> Answer {
    token.verify(&form.csrf_token)?;
    auth.devices().end(form.device).await?;
    visit.notice = Some("That device is logged out.".to_owned());
    Ok(Redirect::to("/devices").into_response())
}

#[session(require_login)]
async fn end_others(auth: Auth, token: CsrfToken, mut visit: Session<Visit>, Form(form): Form<OthersForm>) -> Answer {
    token.verify(&form.csrf_token)?;
    auth.devices().end_others().await?;
    visit.notice = Some("All other devices are logged out.".to_owned());
    Ok(Redirect::to("/devices").into_response())
}

#[session(require_fresh = "5m")]
async fn show_password(token: CsrfToken, person: User<Person>, cart: SessionView<Cart>) -> Response {
    private(pages::password(&Frame::new(Some(&person), &cart, None), &token.hidden_field(), None))
}

/// Changes the password. A user who took too long proves again who they are, and finds the form empty.
#[session(require_fresh = "5m", login_url = "/login?next=/password")]
async fn change_password(
    auth: Auth,
    token: CsrfToken,
    person: User<Person>,
    cart: SessionView<Cart>,
    State(shop): State<Shop>,
    Form(form): Form<PasswordForm>,
) -> Answer {
    token.verify(&form.csrf_token)?;
    let password = match form.password() {
        Ok(password) => password,
        Err(error) => {
            let frame = Frame::new(Some(&person), &cart, None);
            return Ok(private(pages::password(&frame, &token.hidden_field(), Some(error))));
        }
    };
    let person = shop.accounts.change_password(person.id, password);
    // This session goes on, with the stamp of the new password. Those that began with the old one would end when they are next
    // used; here they end at once, and the pages that they have open.
    auth.reauthenticate().credential_stamp(person.and_then(|person| person.credential_stamp())).await?;
    auth.devices().end_others().await?;
    auth.checkout::<Visit>().await?.notice = Some("Your password is changed.".to_owned());
    Ok(Redirect::to("/account").into_response())
}

#[session(require_login, require = |person: &Person| person.is_admin)]
async fn stock(person: User<Person>, cart: SessionView<Cart>, mut visit: Session<Visit>) -> Response {
    private(pages::stock(&Frame::new(Some(&person), &cart, visit.notice.take())))
}

/// Conditions are asked from the left: no customer is asked for a password that would not help.
#[session(require = |person: &Person| person.is_admin, require_fresh = "5m")]
async fn people(
    token: CsrfToken,
    person: User<Person>,
    cart: SessionView<Cart>,
    mut visit: Session<Visit>,
    State(shop): State<Shop>,
) -> Answer {
    let frame = Frame::new(Some(&person), &cart, visit.notice.take());
    Ok(private(pages::people(&frame, &shop.people().await?, &token.hidden_field())))
}

#[session(require = |person: &Person| person.is_admin, require_fresh = "5m", login_url = "/login?next=/admin/people")]
async fn end_sessions(
    token: CsrfToken,
    mut visit: Session<Visit>,
    State(shop): State<Shop>,
    Form(form): Form<PersonForm>,
) -> Answer {
    token.verify(&form.csrf_token)?;
    let Some(person) = shop.accounts.find(&form.person) else { return Ok(not_found().await.into_response()) };
    shop.sessions.devices_of(person.id).end_all().await?;
    visit.notice = Some(format!("{} is logged out everywhere.", person.name));
    Ok(Redirect::to("/admin/people").into_response())
}

async fn show_session(
    auth: Auth,
    person: MaybeUser<Person>,
    cart: SessionView<Cart>,
    mut visit: Session<Visit>,
) -> Result<Html<String>, SessionRejection> {
    let info = auth.info().await?;
    // Counting is a change, and a visitor who only looks around needs no session for it.
    if info.is_some() {
        visit.views += 1;
    }
    let frame = Frame::new(person.as_deref(), &cart, visit.notice.take());
    Ok(Html(pages::session(&frame, info.as_ref(), visit.views)))
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
        .route("/devices", get(devices))
        .route("/devices/end", post(end_device))
        .route("/devices/end-others", post(end_others))
        .route("/password", get(show_password).post(change_password))
        .route("/admin", get(stock))
        .route("/admin/people", get(people).post(end_sessions))
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
