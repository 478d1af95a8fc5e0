//! A small shop on actix-web: `cargo run --example shop-actix`. Its twin on axum is `shop.rs`.
//!
//! Sessions live in this process; `SESSION_STORE=redis://localhost` keeps them in Redis. `ADDR` says where to listen.

#[path = "shop/mod.rs"]
mod shop;

use std::error::Error;

use actix_web::web::{self, Form, Html, Json, Query};
use actix_web::{App, HttpResponse, HttpServer, get, post};
use sessionkit::actix::{Auth, Session, SessionMiddleware, SessionRejection, SessionView, session};
use shop::accounts;
use shop::forms::{CartForm, LoginForm, Next};
use shop::pages::{self, Frame};
use shop::state::{Account, Cart, Visit};

#[get("/")]
async fn browse(account: SessionView<Account>, cart: SessionView<Cart>, mut visit: Session<Visit>) -> Html {
    Html::new(pages::browse(&Frame::new(&account, &cart, visit.notice.take())))
}

#[get("/cart")]
async fn show_cart(account: SessionView<Account>, cart: SessionView<Cart>, mut visit: Session<Visit>) -> Html {
    Html::new(pages::cart(&Frame::new(&account, &cart, visit.notice.take())))
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
async fn show_login(next: Query<Next>) -> Html {
    Html::new(pages::login(&next, None))
}

#[post("/login")]
async fn login(auth: Auth, form: Form<LoginForm>) -> Result<HttpResponse, SessionRejection> {
    let Some(person) = accounts::check(&form.user, &form.password) else {
        let page = pages::login(&form.next, Some("That user and password do not go together."));
        return Ok(HttpResponse::Unauthorized().content_type("text/html; charset=utf-8").body(page));
    };
    auth.login(person.user).lifetime(form.lifetime()).await?;
    // Checked out after the login: what was extracted before may be another user's.
    *auth.checkout::<Account>().await? = person.into();
    auth.checkout::<Visit>().await?.notice = Some(format!("Welcome, {}.", person.name));
    Ok(see_other(form.next.path().as_str()))
}

#[post("/logout")]
async fn logout(auth: Auth) -> Result<HttpResponse, SessionRejection> {
    auth.logout().await?;
    Ok(see_other("/"))
}

#[get("/admin")]
#[session(require_login, require = |account: &Account| account.is_admin)]
async fn admin(account: SessionView<Account>, cart: SessionView<Cart>, mut visit: Session<Visit>) -> Html {
    Html::new(pages::admin(&Frame::new(&account, &cart, visit.notice.take())))
}

#[get("/session")]
async fn show_session(
    auth: Auth,
    account: SessionView<Account>,
    cart: SessionView<Cart>,
    mut visit: Session<Visit>,
) -> Result<Html, SessionRejection> {
    let info = auth.info().await?;
    // Counting is a change, and a visitor who only looks around needs no session for it.
    if info.is_some() {
        visit.views += 1;
    }
    let frame = Frame::new(&account, &cart, visit.notice.take());
    Ok(Html::new(pages::session(&frame, info.as_ref(), visit.views)))
}

#[get("/api/session")]
async fn api_session(auth: Auth, cart: SessionView<Cart>) -> Result<Json<serde_json::Value>, SessionRejection> {
    Ok(Json(pages::session_json(auth.info().await?.as_ref(), &cart)))
}

async fn not_found() -> HttpResponse {
    HttpResponse::NotFound().content_type("text/html; charset=utf-8").body(pages::not_found())
}

fn see_other(path: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header(("location", path)).finish()
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let sessions = shop::sessions().await?;
    let manager = sessions.clone();
    let server = HttpServer::new(move || {
        App::new()
            .wrap(SessionMiddleware::new(manager.clone()))
            .service((browse, show_cart, change_cart, show_login, login, logout, admin, show_session, api_session))
            .default_service(web::to(not_found))
    })
    .bind(shop::address())?;
    server.addrs().into_iter().for_each(shop::announce);
    server.run().await?;
    // Requests whose clients left may still be storing something.
    sessions.drain().await;
    Ok(())
}
