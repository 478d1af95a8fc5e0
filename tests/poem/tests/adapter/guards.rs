//! `#[session(..)]` decides before anything of the request is extracted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use poem::test::TestClient;
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Body, Endpoint, EndpointExt, Request, RequestParts, Response, Route, get, handler, post};
use sessionkit::testing::{CountingStore, TestSession};
use sessionkit::{MemoryStore, SessionManager};
use sessionkit_poem::{SessionMiddleware, User, session};

use crate::{Cart, Person, all, manager, manager_with_users, status, text};

#[session(require_login)]
#[handler]
async fn order(body: String) -> String {
    format!("ordered {body}")
}

#[session(require_login, require = |cart: &Cart| cart.paid)]
#[handler]
async fn ship(body: String) -> String {
    format!("shipped to {body}")
}

fn is_admin(person: &Person) -> bool {
    person.is_admin
}

#[sessionkit_poem::session(any(is_admin, |cart: &Cart| cart.paid))]
#[handler]
async fn numbers() -> &'static str {
    "the numbers"
}

#[handler]
async fn profile(person: User<Person>) -> &'static str {
    person.name
}

#[session(public)]
#[handler]
async fn about() -> &'static str {
    "a shop"
}

#[handler]
async fn forgotten() -> &'static str {
    "somebody forgot to say who may see this"
}

fn routes() -> Route {
    Route::new()
        .at("/order", post(order))
        .at("/ship", post(ship))
        .at("/numbers", get(numbers))
        .at("/profile", get(profile))
        .at("/about", get(about))
        .at("/forgotten", get(forgotten))
}

fn app(manager: &SessionManager) -> impl Endpoint<Output = Response> + use<> {
    Route::new().nest("/shop", routes()).with(SessionMiddleware::new(manager.clone()))
}

/// A body that knows whether somebody read it.
fn watched(text: &'static str) -> (Body, Arc<AtomicBool>) {
    let is_read = Arc::new(AtomicBool::new(false));
    let read = is_read.clone();
    let chunks = futures_util::stream::poll_fn(move |_| {
        let chunk = (!read.swap(true, Ordering::SeqCst)).then_some(Ok::<_, std::io::Error>(text));
        std::task::Poll::Ready(chunk)
    });
    (Body::from_bytes_stream(chunks), is_read)
}

#[tokio::test]
async fn the_body_of_a_refused_request_is_not_read() {
    let manager = manager();
    let shop = TestClient::new(app(&manager));
    let ada = TestSession::new(&manager).login("ada").await;
    let payer = TestSession::new(&manager).login("bob").with(|cart: &mut Cart| cart.paid = true).await;
    let cases = [
        ("/shop/order", String::new(), 401, None),
        ("/shop/ship", String::new(), 401, None),
        ("/shop/ship", ada.cookie(), 403, None),
        ("/shop/order", ada.cookie(), 200, Some("ordered tea")),
        ("/shop/ship", payer.cookie(), 200, Some("shipped to tea")),
    ];
    for (path, cookie, expected, answered) in cases {
        let (body, is_read) = watched("tea");
        let answer = shop.post(path).header("cookie", cookie).body(body).send().await;
        assert_eq!((status(&answer), is_read.load(Ordering::SeqCst)), (expected, answered.is_some()), "{path}");
        match answered {
            Some(answered) => assert_eq!(text(answer).await, answered),
            None => assert_eq!(all(answer.0.headers(), "cache-control"), ["no-store"]),
        }
    }
}

#[tokio::test]
async fn a_person_is_sent_to_the_login_page_and_back_to_the_whole_path() {
    // As a server makes it: a request of Poem's test client does not know the path that a nested route strips.
    let request = http::Request::builder().uri("/shop/profile?tab=2").header("sec-fetch-mode", "navigate");
    let (parts, ()) = request.body(()).expect("a request").into_parts();
    let parts = RequestParts::from((parts, LocalAddr::default(), RemoteAddr::default(), http::uri::Scheme::HTTP));
    let manager = manager_with_users(MemoryStore::new());
    let response = app(&manager).get_response(Request::from_parts(parts, Body::empty())).await;
    assert_eq!(response.status(), 303);
    assert_eq!(all(response.headers(), "location"), ["/login?next=/shop/profile%3Ftab%3D2"]);
    assert_eq!(all(response.headers(), "set-cookie"), [""; 0]);
}

#[tokio::test]
async fn predicates_see_the_user_and_the_session() {
    let manager = manager_with_users(MemoryStore::new());
    let shop = TestClient::new(app(&manager));
    let ada = TestSession::new(&manager).login("ada").await;
    let bob = TestSession::new(&manager).login("bob").await;
    let payer = TestSession::new(&manager).login("bob").with(|cart: &mut Cart| cart.paid = true).await;
    let guest = TestSession::new(&manager).await;
    for (visitor, expected) in [(&ada, 200), (&bob, 403), (&payer, 200), (&guest, 401)] {
        let answer = shop.get("/shop/numbers").header("cookie", visitor.cookie()).send().await;
        assert_eq!(status(&answer), expected, "{visitor:?}");
    }
    for (visitor, expected) in [(&ada, Some("Ada")), (&bob, Some("Bob")), (&guest, None)] {
        let answer = shop.get("/shop/profile").header("cookie", visitor.cookie()).send().await;
        match expected {
            Some(name) => assert_eq!(text(answer).await, name),
            None => assert_eq!(status(&answer), 401),
        }
    }
}

#[tokio::test]
async fn a_public_route_does_not_look_at_the_session() {
    let store = CountingStore::new(MemoryStore::new());
    let manager = manager_with_users(store.clone());
    let ada = TestSession::new(&manager).login("ada").await;
    store.take();
    let answer = TestClient::new(app(&manager)).get("/shop/about").header("cookie", ada.cookie()).send().await;
    assert_eq!(text(answer).await, "a shop");
    assert_eq!(store.take().total(), 0);
}

#[tokio::test]
async fn the_answer_of_a_route_that_nobody_guards_is_withheld_if_the_application_says_so() {
    let manager = manager_with_users(MemoryStore::new());
    let shop = TestClient::new(routes().with(SessionMiddleware::new(manager).withhold_unguarded()));
    for (path, expected) in [("/about", 200), ("/forgotten", 403), ("/profile", 403), ("/numbers", 401), ("/no", 404)] {
        assert_eq!(status(&shop.get(path).send().await), expected, "{path}");
    }
}

#[tokio::test]
async fn without_the_middleware_the_answer_says_what_is_missing_and_where() {
    let shop = TestClient::new(routes());
    for (route, request) in [("GET /profile", shop.get("/profile")), ("POST /order", shop.post("/order"))] {
        let answer = request.send().await;
        assert_eq!(status(&answer), 500, "{route}");
        let body = text(answer).await;
        assert!(body.contains("SessionMiddleware::new(manager)") && body.contains(route), "{route}: {body}");
    }
}
