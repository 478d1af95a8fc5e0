//! Guarded handlers on axum.

use axum::Router;
use axum::routing::get;
use sessionkit::axum::{Auth, Session, SessionLayer, SessionRejection, User, session};

use crate::apps::guards::{Account, Rights, manager};
use crate::content::Visit;

pub(super) fn app() -> Router {
    Router::new()
        .route("/fill", get(fill))
        .route("/open", get(open))
        .route("/login", get(login))
        .route("/fresh", get(fresh))
        .route("/predicate", get(predicate))
        .route("/same", get(same))
        .route("/operators", get(operators))
        .route("/open-user", get(open_user))
        .route("/user", get(user))
        .layer(SessionLayer::new(manager()))
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
