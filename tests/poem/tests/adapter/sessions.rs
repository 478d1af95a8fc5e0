//! One session for each request, stored when the handler has answered.

use std::sync::Arc;
use std::time::Duration;

use poem::http::StatusCode;
use poem::middleware::CatchPanic;
use poem::test::TestClient;
use poem::web::{Data, Path};
use poem::{Body, Endpoint, EndpointExt, Error, IntoResponse, Response, Result, Route, get, handler, post};
use sessionkit::manual::SessionHandle;
use sessionkit::testing::{CountingStore, TestSession};
use sessionkit::{MemoryStore, SessionConfig, SessionData, SessionManager, SessionScope};
use sessionkit_poem::{Auth, Session, SessionMiddleware, SessionRejection, SessionView};
use tokio::sync::Barrier;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::{Cart, all, manager, manager_of, status, text};

#[handler]
async fn add(mut cart: Session<Cart>, Path(item): Path<String>) -> Response {
    cart.items.insert(item);
    Response::builder().status(StatusCode::CREATED).header("vary", "Accept").header("x-shop", "open").body("added")
}

#[handler]
async fn show(cart: SessionView<Cart>) -> String {
    cart.items.iter().cloned().collect::<Vec<_>>().join(" ")
}

#[handler]
async fn about() -> &'static str {
    "a shop"
}

#[handler]
async fn login(auth: Auth, Path(user): Path<String>) -> Result<&'static str, SessionRejection> {
    auth.login(user).await?;
    Ok("welcome")
}

#[handler]
async fn logout(auth: Auth) -> Result<&'static str, SessionRejection> {
    auth.logout().await?;
    Ok("bye")
}

fn shop(manager: &SessionManager) -> TestClient<impl Endpoint> {
    let shop = Route::new()
        .at("/", get(show))
        .at("/about", get(about))
        .at("/add/:item", post(add))
        .at("/login/:user", post(login))
        .at("/logout", post(logout));
    TestClient::new(shop.with(SessionMiddleware::new(manager.clone())))
}

#[tokio::test]
async fn a_change_is_stored_and_the_response_stays_the_handlers() {
    let manager = manager();
    let shop = shop(&manager);
    let mut visitor = TestSession::new(&manager).await;

    let added = shop.post("/add/tea").send().await;
    let headers = added.0.headers();
    assert_eq!((status(&added), all(headers, "x-shop")), (201, vec!["open".to_owned()]));
    assert_eq!(all(headers, "vary"), ["Accept", "Cookie"]);
    assert_eq!(all(headers, "cache-control"), ["no-store"]);
    let cookies = all(headers, "set-cookie");
    assert!(matches!(&cookies[..], [cookie] if cookie.starts_with("__Host-session=")), "{cookies:?}");
    visitor.follow(&cookies);
    assert_eq!(text(added).await, "added");

    let shown = shop.get("/").header("cookie", visitor.cookie()).send().await;
    assert_eq!(all(shown.0.headers(), "vary"), ["Cookie"]);
    assert_eq!(all(shown.0.headers(), "set-cookie"), [""; 0]);
    assert_eq!(text(shown).await, "tea");
}

#[tokio::test]
async fn a_request_that_does_not_use_the_session_costs_nothing_and_is_left_alone() {
    let store = CountingStore::new(MemoryStore::new());
    let manager = manager_of(store.clone());
    let ada = TestSession::new(&manager).login("ada").await;
    store.take();
    let answer = shop(&manager).get("/about").header("cookie", ada.cookie()).send().await;
    assert_eq!((store.take().total(), status(&answer)), (0, 200));
    for name in ["vary", "cache-control", "set-cookie"] {
        assert!(!answer.0.headers().contains_key(name), "{name}");
    }
}

#[handler]
async fn add_together(mut cart: Session<Cart>, Path(item): Path<String>, Data(both): Data<&Arc<Barrier>>) {
    cart.items.insert(item);
    both.wait().await;
}

#[tokio::test]
async fn requests_that_change_one_session_at_once_both_win() {
    let manager = manager();
    let mut ada = TestSession::new(&manager).login("ada").await;
    let app = Route::new().at("/add/:item", post(add_together)).data(Arc::new(Barrier::new(2)));
    let shop = TestClient::new(app.with(SessionMiddleware::new(manager)));
    let send = |path: &str| shop.post(path).header("cookie", ada.cookie()).send();
    let (tea, rice) = tokio::join!(send("/add/tea"), send("/add/rice"));
    assert_eq!((status(&tea), status(&rice)), (200, 200));
    assert_eq!(ada.changed().await, ["cart.items"]);
    let items: Vec<_> = ada.view::<Cart>().await.items.into_iter().collect();
    assert_eq!(items, ["rice", "tea"]);
}

#[tokio::test]
async fn a_login_replaces_the_cookie_and_a_logout_removes_it() {
    let manager = manager();
    let shop = shop(&manager);
    let mut ada = TestSession::new(&manager).with(|cart: &mut Cart| cart.paid = true).await;
    let before = ada.clone();

    let answer = shop.post("/login/ada").header("cookie", ada.cookie()).send().await;
    ada.follow(answer.0.headers().get_all("set-cookie"));
    assert_ne!(ada.cookie(), before.cookie());
    assert!(before.is_over().await);
    assert_eq!(ada.user_id().await.as_deref(), Some("ada"));
    assert!(ada.view::<Cart>().await.paid);

    let thief = ada.clone();
    let answer = shop.post("/logout").header("cookie", ada.cookie()).send().await;
    ada.follow(answer.0.headers().get_all("set-cookie"));
    assert_eq!((ada.cookie(), thief.is_over().await), (String::new(), true));
}

#[handler]
async fn log_in_and_fail(auth: Auth) -> Result<()> {
    auth.login("ada").await.map_err(SessionRejection::from)?;
    Err(Error::from_string("no tea today", StatusCode::CONFLICT))
}

#[derive(Debug)]
struct ClosedError;

impl std::fmt::Display for ClosedError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("closed")
    }
}

impl std::error::Error for ClosedError {}

#[handler]
async fn fail() -> Result<()> {
    Err(Error::new(ClosedError, StatusCode::GONE))
}

#[tokio::test]
async fn an_error_of_the_handler_carries_the_cookie_and_is_an_error_still_without_one() {
    let manager = manager();
    let mut ada = TestSession::new(&manager).await;
    let app = Route::new().at("/login", post(log_in_and_fail)).at("/fail", get(fail));
    let app = app.with(SessionMiddleware::new(manager));
    let caught = app.catch_error(|_: ClosedError| async { "caught".with_status(StatusCode::OK) });
    let shop = TestClient::new(caught);

    let failed = shop.post("/login").send().await;
    ada.follow(failed.0.headers().get_all("set-cookie"));
    assert_eq!((status(&failed), text(failed).await.as_str()), (409, "no tea today"));
    assert_eq!(ada.user_id().await.as_deref(), Some("ada"));
    assert_eq!(text(shop.get("/fail").send().await).await, "caught");
}

#[handler]
async fn panic(mut cart: Session<Cart>) -> &'static str {
    cart.items.insert("tea".to_owned());
    assert!(cart.items.is_empty(), "the handler has a bug");
    "added"
}

#[tokio::test]
async fn a_panic_stores_nothing_wherever_it_is_caught() {
    for outside in [true, false] {
        let manager = manager();
        let mut ada = TestSession::new(&manager).login("ada").await;
        let layer = SessionMiddleware::new(manager.clone());
        let app = Route::new().at("/", post(panic));
        let shop = if outside {
            TestClient::new(app.with(layer).with(CatchPanic::new()).boxed())
        } else {
            TestClient::new(app.with(CatchPanic::new()).with(layer).boxed())
        };
        let answer = shop.post("/").header("cookie", ada.cookie()).send().await;
        assert_eq!((status(&answer), all(answer.0.headers(), "set-cookie")), (500, vec![]), "{outside}");
        assert_eq!(ada.changed().await, [""; 0], "{outside}");
    }
}

/// Lets the test have what a task of the application would keep, and waits for a client that leaves.
#[handler]
async fn stay(auth: Auth, Data(sender): Data<&UnboundedSender<(Auth, SessionHandle)>>) -> Result<(), SessionRejection> {
    let handle = auth.session().handle().await?;
    sender.send((auth, handle)).expect("the test waits for it");
    std::future::pending().await
}

#[tokio::test]
async fn a_client_that_leaves_ends_the_request() {
    let manager = manager();
    let ada = TestSession::new(&manager).login("ada").await;
    let (sender, mut receiver) = unbounded_channel::<(Auth, SessionHandle)>();
    let shop = TestClient::new(Route::new().at("/", get(stay)).data(sender).with(SessionMiddleware::new(manager)));
    let request = tokio::spawn(async move { shop.get("/").header("cookie", ada.cookie()).send().await });
    let (_auth, mut handle) = receiver.recv().await.expect("the handler runs");
    request.abort();
    // It waits for the end of the request.
    let is_there = tokio::time::timeout(Duration::from_secs(10), handle.reload()).await;
    assert!(is_there.expect("the request has ended").expect("the store answers"));
}

struct Office;

impl SessionScope for Office {
    const NAME: &'static str = "Office";
    type Home = sessionkit::OnServer;
}

#[derive(SessionData)]
#[session(scope = Office)]
struct Desk {
    tidy: bool,
}

#[handler]
async fn work(mut desk: Session<Desk>, mut cart: Session<Cart>) -> Body {
    desk.tidy = true;
    cart.paid = true;
    "done".into()
}

#[tokio::test]
async fn two_scopes_have_a_cookie_each_and_a_layer_that_is_added_twice_counts_once() {
    let config = SessionConfig::builder().cookie_name("__Host-office").build().expect("settings");
    let (shop, office) = (manager(), SessionManager::<Office>::for_scope(MemoryStore::new(), config));
    let app = Route::new().at("/", post(work));
    let app = app
        .with(SessionMiddleware::new(office.clone()))
        .with(SessionMiddleware::new(shop.clone()))
        .with(SessionMiddleware::new(shop.clone()));
    let answer = TestClient::new(app).post("/").send().await;
    let cookies = all(answer.0.headers(), "set-cookie");
    let (mut at_shop, mut at_office) = (TestSession::new(&shop).await, TestSession::new(&office).await);
    at_shop.follow(&cookies);
    at_office.follow(&cookies);
    assert_eq!(cookies.len(), 2, "{cookies:?}");
    assert!(at_shop.view::<Cart>().await.paid && at_office.view::<Desk>().await.tidy);
}

#[tokio::test]
async fn two_managers_of_one_cookie_are_a_mistake() {
    let app = Route::new().at("/", get(about)).with(SessionMiddleware::new(manager()));
    let app = TestClient::new(app.with(SessionMiddleware::new(manager())));
    assert_eq!(status(&app.get("/").send().await), 500);
}
