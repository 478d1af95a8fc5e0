//! [P10]: a store that fails is a 503. It is never a logout, and it lets nobody in.

use poem::test::TestClient;
use poem::web::Data;
use poem::{Endpoint, EndpointExt, Route, get, handler};
use sessionkit::MemoryStore;
use sessionkit::testing::{FailingStore, TestSession};
use sessionkit_poem::{Auth, Session, SessionMiddleware, SessionRejection, SessionView, User, session};

use crate::{Cart, Person, all, manager_with_users, status, text};

type Store = FailingStore<MemoryStore>;

#[handler]
async fn change(_: Session<Cart>) -> &'static str {
    "in"
}

#[handler]
async fn view(_: SessionView<Cart>) -> &'static str {
    "in"
}

#[handler]
async fn optional(cart: Option<Session<Cart>>) -> &'static str {
    if cart.is_some() { "in" } else { "in, without a session" }
}

#[handler]
async fn who(auth: Auth) -> Result<&'static str, SessionRejection> {
    auth.user_id().await?;
    Ok("in")
}

#[handler]
async fn user(_: User<Person>) -> &'static str {
    "in"
}

#[session(require_login)]
#[handler]
async fn login_required() -> &'static str {
    "in"
}

#[session(guest_only)]
#[handler]
async fn guests() -> &'static str {
    "in"
}

#[session(not(|cart: &Cart| cart.paid))]
#[handler]
async fn negated() -> &'static str {
    "in"
}

#[session(any(require_login, |person: &Person| person.is_admin))]
#[handler]
async fn alternative() -> &'static str {
    "in"
}

/// The store fails while the handler works.
#[handler]
async fn pay(mut cart: Session<Cart>, Data(store): Data<&Store>) -> &'static str {
    cart.paid = true;
    store.fail();
    "in"
}

#[handler]
async fn log_out(auth: Auth, Data(store): Data<&Store>) -> Result<&'static str, SessionRejection> {
    auth.user_id().await?;
    store.fail();
    auth.logout().await?;
    Ok("in")
}

fn app(store: &Store) -> (TestClient<impl Endpoint + use<>>, sessionkit::SessionManager) {
    let manager = manager_with_users(store.clone());
    let routes = Route::new()
        .at("/change", get(change))
        .at("/view", get(view))
        .at("/optional", get(optional))
        .at("/who", get(who))
        .at("/user", get(user))
        .at("/login_required", get(login_required))
        .at("/guests", get(guests))
        .at("/negated", get(negated))
        .at("/alternative", get(alternative))
        .at("/pay", get(pay))
        .at("/log_out", get(log_out))
        .data(store.clone());
    (TestClient::new(routes.with(SessionMiddleware::new(manager.clone()))), manager)
}

#[tokio::test]
async fn a_store_that_fails_answers_503_and_lets_nobody_in() {
    let store = Store::new(MemoryStore::new());
    let (app, manager) = app(&store);
    let ada = TestSession::new(&manager).login("ada").await;
    let paths =
        ["/change", "/view", "/optional", "/who", "/user", "/login_required", "/guests", "/negated", "/alternative"];
    for path in paths {
        for mode in ["cors", "navigate"] {
            store.fail();
            let answer = app.get(path).header("cookie", ada.cookie()).header("sec-fetch-mode", mode).send().await;
            store.recover();
            assert_eq!((status(&answer), all(answer.0.headers(), "set-cookie")), (503, vec![]), "{path}");
            assert!(!text(answer).await.starts_with("in"), "{path}");
        }
        let answer = app.get(path).header("cookie", ada.cookie()).send().await;
        assert_eq!(status(&answer), if path == "/guests" { 403 } else { 200 }, "{path}");
    }
    assert_eq!(ada.user_id().await.as_deref(), Some("ada"));
}

#[tokio::test]
async fn a_change_that_cannot_be_stored_is_not_acknowledged() {
    let store = Store::new(MemoryStore::new());
    let (app, manager) = app(&store);
    let mut ada = TestSession::new(&manager).login("ada").await;
    for path in ["/pay", "/log_out"] {
        let answer = app.get(path).header("cookie", ada.cookie()).send().await;
        store.recover();
        assert_eq!((status(&answer), all(answer.0.headers(), "set-cookie")), (503, vec![]), "{path}");
        assert_eq!(all(answer.0.headers(), "content-type"), ["application/problem+json"], "{path}");
    }
    assert_eq!(ada.changed().await, [""; 0]);
    assert_eq!(ada.user_id().await.as_deref(), Some("ada"));
}
