//! A small shop on actix-web: `cargo run --example shop-actix`. Its twin on axum is `shop.rs`.
//!
//! Sessions live in this process unless `SESSION_STORE` names a store, `redis://localhost` for example. `ADDR` says where to
//! listen.

#[path = "shop/mod.rs"]
mod shop;

use std::error::Error;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, USER_AGENT};
use actix_web::web::{self, Data, Form, Html, Json, Query};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, get, post};
use futures_util::StreamExt as _;
use sessionkit::SessionUser as _;
use sessionkit::actix::{
    Auth, CsrfMiddleware, CsrfToken, MaybeUser, Session, SessionHandle, SessionMiddleware, SessionRejection,
    SessionView, User, session,
};
use shop::Shop;
use shop::accounts::Person;
use shop::forms::{self, CartForm, DeviceForm, LoginForm, Next, OthersForm, PasswordForm, PersonForm};
use shop::pages::{self, Frame};
use shop::state::{Cart, Visit};

type Answer = Result<HttpResponse, SessionRejection>;

#[get("/")]
async fn browse(person: MaybeUser<Person>, cart: SessionView<Cart>, mut visit: Session<Visit>) -> Html {
    Html::new(pages::browse(&Frame::new(person.as_deref(), &cart, visit.notice.take())))
}

#[get("/cart")]
async fn show_cart(person: MaybeUser<Person>, cart: SessionView<Cart>, mut visit: Session<Visit>) -> Html {
    Html::new(pages::cart(&Frame::new(person.as_deref(), &cart, visit.notice.take())))
}

#[post("/cart")]
async fn change_cart(mut cart: Session<Cart>, mut visit: Session<Visit>, form: Form<CartForm>) -> HttpResponse {
    let Some(product) = form.product() else { return not_found().await };
    match form.quantity {
        Some(quantity) => {
            cart.set(product, quantity);
            see_other("/cart")
        }
        None => {
            cart.add(product);
            visit.notice = Some(format!("{} is in your cart.", product.name));
            see_other("/")
        }
    }
}

#[get("/login")]
async fn show_login(known: MaybeUser<Person>, next: Query<Next>) -> HttpResponse {
    private(pages::login(known.as_deref(), &next, None))
}

#[post("/login")]
async fn login(
    auth: Auth,
    known: MaybeUser<Person>,
    shop: Data<Shop>,
    request: HttpRequest,
    form: Form<LoginForm>,
) -> Answer {
    let Some(person) = shop.accounts.check(&form.user, &form.password) else {
        let mut page = private(pages::login(known.as_deref(), &form.next, Some("That password does not fit.")));
        *page.status_mut() = StatusCode::UNAUTHORIZED;
        return Ok(page);
    };
    let next = see_other(form.next.path().as_str());
    // The guard of another page asked: the session goes on, and its login is a fresh one.
    if known.as_ref().is_some_and(|known| known.id == person.id) {
        auth.reauthenticate().await?;
        return Ok(next);
    }
    let device = forms::device(request.headers().get(USER_AGENT).and_then(|agent| agent.to_str().ok()));
    let login = auth.login(person.id).lifetime(form.lifetime()).device_label(device);
    login.credential_stamp(person.credential_stamp()).await?;
    // Checked out after the login: what was extracted before may be another user's.
    auth.checkout::<Visit>().await?.notice = Some(format!("Welcome, {}.", person.name));
    Ok(next)
}

#[post("/logout")]
async fn logout(auth: Auth) -> Answer {
    auth.logout().await?;
    Ok(see_other("/"))
}

#[get("/account")]
#[session(require_login)]
async fn account(auth: Auth, person: User<Person>, cart: SessionView<Cart>, mut visit: Session<Visit>) -> Answer {
    let info = auth.info().await?.expect("the guard saw a session");
    Ok(private(pages::account(&Frame::new(Some(&person), &cart, visit.notice.take()), &info)))
}

#[get("/live")]
#[session(require_login)]
async fn live(handle: SessionHandle, shop: Data<Shop>) -> HttpResponse {
    let events = shop::live::events(&handle, &shop.closing);
    let mut response = HttpResponse::Ok();
    response.content_type("text/event-stream").insert_header((CACHE_CONTROL, "no-store"));
    response.streaming(events.map(|event| event.map(web::Bytes::from)))
}

#[get("/devices")]
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

#[post("/devices/end")]
#[session(require_login)]
async fn end_device(auth: Auth, token: CsrfToken, mut visit: Session<Visit>, form: Form<DeviceForm>) -> Answer {
    token.verify(&form.csrf_token)?;
    auth.devices().end(form.device).await?;
    visit.notice = Some("That device is logged out.".to_owned());
    Ok(see_other("/devices"))
}

#[post("/devices/end-others")]
#[session(require_login)]
async fn end_others(auth: Auth, token: CsrfToken, mut visit: Session<Visit>, form: Form<OthersForm>) -> Answer {
    token.verify(&form.csrf_token)?;
    auth.devices().end_others().await?;
    visit.notice = Some("All other devices are logged out.".to_owned());
    Ok(see_other("/devices"))
}

#[get("/password")]
#[session(require_fresh = "5m")]
async fn show_password(token: CsrfToken, person: User<Person>, cart: SessionView<Cart>) -> HttpResponse {
    private(pages::password(&Frame::new(Some(&person), &cart, None), &token.hidden_field(), None))
}

/// Changes the password. A user who took too long proves again who they are, and finds the form empty.
#[post("/password")]
#[session(require_fresh = "5m", login_url = "/login?next=/password")]
async fn change_password(
    auth: Auth,
    token: CsrfToken,
    person: User<Person>,
    cart: SessionView<Cart>,
    shop: Data<Shop>,
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
    Ok(see_other("/account"))
}

#[get("/admin")]
#[session(require_login, require = |person: &Person| person.is_admin)]
async fn stock(person: User<Person>, cart: SessionView<Cart>, mut visit: Session<Visit>) -> HttpResponse {
    private(pages::stock(&Frame::new(Some(&person), &cart, visit.notice.take())))
}

/// Conditions are asked from the left: no customer is asked for a password that would not help.
#[get("/admin/people")]
#[session(require = |person: &Person| person.is_admin, require_fresh = "5m")]
async fn people(
    token: CsrfToken,
    person: User<Person>,
    cart: SessionView<Cart>,
    mut visit: Session<Visit>,
    shop: Data<Shop>,
) -> Answer {
    let frame = Frame::new(Some(&person), &cart, visit.notice.take());
    Ok(private(pages::people(&frame, &shop.people().await?, &token.hidden_field())))
}

#[post("/admin/people")]
#[session(require = |person: &Person| person.is_admin, require_fresh = "5m", login_url = "/login?next=/admin/people")]
async fn end_sessions(token: CsrfToken, mut visit: Session<Visit>, shop: Data<Shop>, form: Form<PersonForm>) -> Answer {
    token.verify(&form.csrf_token)?;
    let Some(person) = shop.accounts.find(&form.person) else { return Ok(not_found().await) };
    shop.sessions.devices_of(person.id).end_all().await?;
    visit.notice = Some(format!("{} is logged out everywhere.", person.name));
    Ok(see_other("/admin/people"))
}

#[get("/session")]
async fn show_session(
    auth: Auth,
    person: MaybeUser<Person>,
    cart: SessionView<Cart>,
    mut visit: Session<Visit>,
) -> Result<Html, SessionRejection> {
    let info = auth.info().await?;
    // Counting is a change, and a visitor who only looks around needs no session for it.
    if info.is_some() {
        visit.views += 1;
    }
    let frame = Frame::new(person.as_deref(), &cart, visit.notice.take());
    Ok(Html::new(pages::session(&frame, info.as_ref(), visit.views)))
}

#[get("/api/session")]
async fn api_session(auth: Auth, cart: SessionView<Cart>) -> Result<Json<serde_json::Value>, SessionRejection> {
    Ok(Json(pages::session_json(auth.info().await?.as_ref(), &cart)))
}

async fn not_found() -> HttpResponse {
    HttpResponse::NotFound().content_type("text/html; charset=utf-8").body(pages::not_found())
}

/// A page that nobody may keep.
fn private(page: String) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.content_type("text/html; charset=utf-8").insert_header((CACHE_CONTROL, "no-store")).body(page)
}

fn see_other(path: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header(("location", path)).finish()
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let shop = Shop::open().await?;
    let open = shop.clone();
    let server = HttpServer::new(move || {
        App::new()
            .app_data(Data::new(open.clone()))
            .wrap(CsrfMiddleware::new(shop::protection()))
            .wrap(SessionMiddleware::new(open.sessions.clone()))
            .service((browse, show_cart, change_cart, show_login, login, logout))
            .service((account, live, devices, end_device, end_others, show_password, change_password))
            .service((stock, people, end_sessions, show_session, api_session))
            .default_service(web::to(not_found))
    })
    .bind(shop::address())?
    .disable_signals();
    server.addrs().into_iter().for_each(shop::announce);
    let server = server.run();
    let (handle, closing) = (server.handle(), shop.closing.clone());
    actix_web::rt::spawn(async move {
        actix_web::rt::signal::ctrl_c().await.expect("the runtime handles signals");
        closing.begin();
        handle.stop(true).await;
    });
    server.await?;
    // Requests whose clients left may still be storing something.
    shop.sessions.drain().await;
    Ok(())
}
