//! A rejection is a page for a person who opened one, and a problem document for a program.

use poem::test::TestClient;
use poem::{Endpoint, EndpointExt, IntoResponse, Response, Route, get, handler};
use sessionkit::{Denial, MemoryStore, Rejection, SessionConfig, SessionManager};
use sessionkit_poem::{Auth, SessionMiddleware, SessionRejection, session};

use crate::{all, manager, status, text};

fn ask_for_a_token(_: &Denial<'_>) -> Rejection {
    Rejection::new(401, "Send a token.").with_header("WWW-Authenticate", "Bearer").with_header("HX-Redirect", "/login")
}

#[session(require_login, on_denied = ask_for_a_token)]
#[handler]
async fn guarded() {}

#[handler]
async fn failing(auth: Auth) -> Result<(), SessionRejection> {
    // Nobody is logged in.
    auth.reauthenticate().await?;
    Ok(())
}

#[handler]
async fn answering(_auth: Auth) -> Response {
    SessionRejection::from(Rejection::new(429, "Too many attempts.")).into_response()
}

fn app(manager: SessionManager) -> TestClient<impl Endpoint> {
    let routes =
        Route::new().at("/guarded", get(guarded)).at("/failing", get(failing)).at("/answering", get(answering));
    TestClient::new(routes.with(SessionMiddleware::new(manager)))
}

#[tokio::test]
async fn a_program_gets_a_document_and_a_person_a_page() {
    let app = app(manager());
    for (path, expected, detail) in
        [("/guarded", 401, "Send a token."), ("/failing", 401, "log in"), ("/answering", 429, "Too many attempts.")]
    {
        for (mode, content_type) in [("cors", "application/problem+json"), ("navigate", "text/html; charset=utf-8")] {
            let answer = app.get(path).header("sec-fetch-mode", mode).send().await;
            assert_eq!(status(&answer), expected, "{path}");
            assert_eq!(all(answer.0.headers(), "content-type"), [content_type], "{path}");
            let body = text(answer).await;
            assert!(body.contains(detail), "{path}: {body}");
        }
    }
}

#[tokio::test]
async fn the_headers_of_a_rejection_arrive() {
    let answer = app(manager()).get("/guarded").send().await;
    for (name, value) in [("www-authenticate", "Bearer"), ("hx-redirect", "/login"), ("cache-control", "no-store")] {
        assert_eq!(all(answer.0.headers(), name), [value], "{name}");
    }
}

#[tokio::test]
async fn the_rejection_stays_with_the_response_for_those_outside() {
    let seen = app(SessionManager::new(MemoryStore::new(), SessionConfig::default())).get("/failing").send().await;
    let rejection = seen.0.extensions().get::<Rejection>().expect("a rejection");
    assert_eq!(rejection.status(), 401);
    assert!(rejection.error().is_some());
}
