//! Guarded handlers on actix-web.

use actix_web::App;
use actix_web::web::get;
use sessionkit::actix::{Auth, Session, SessionMiddleware, SessionRejection, User, session};

use super::Visitor;
use crate::apps::guards::{Account, Rights, manager};
use crate::content::Visit;

pub(super) async fn app<V: Visitor>(visitor: V) -> V::Output {
    let make = || {
        App::new()
            .route("/fill", get().to(fill))
            .route("/open", get().to(open))
            .route("/login", get().to(login))
            .route("/fresh", get().to(fresh))
            .route("/predicate", get().to(predicate))
            .route("/same", get().to(same))
            .route("/operators", get().to(operators))
            .route("/open-user", get().to(open_user))
            .route("/user", get().to(user))
            .wrap(SessionMiddleware::new(manager()))
    };
    visitor.visit(make).await
}

async fn fill(auth: Auth) -> Result<&'static str, SessionRejection> {
    auth.login("ada").await?;
    *auth.checkout::<Visit>().await? = Visit::new();
    auth.checkout::<Rights>().await?.may_read = true;
    Ok("filled")
}

async fn open(visit: Session<Visit>) -> String {
    visit.name.clone()
}

#[session(require_login)]
async fn login(visit: Session<Visit>) -> String {
    visit.name.clone()
}

#[session(require_fresh = "5m")]
async fn fresh(visit: Session<Visit>) -> String {
    visit.name.clone()
}

#[session(require_login, require = |rights: &Rights| rights.may_read)]
async fn predicate(visit: Session<Visit>) -> String {
    visit.name.clone()
}

#[session(require_login, require = |visit: &Visit| visit.user > 0)]
async fn same(visit: Session<Visit>) -> String {
    visit.name.clone()
}

#[session(any(guest_only, all(require_login, not(|rights: &Rights| !rights.may_read))))]
async fn operators(visit: Session<Visit>) -> String {
    visit.name.clone()
}

async fn open_user(_account: User<Account>, visit: Session<Visit>) -> String {
    visit.name.clone()
}

#[session(require = |account: &Account| account.is_admin)]
async fn user(_account: User<Account>, visit: Session<Visit>) -> String {
    visit.name.clone()
}
