//! Tests of errors that middleware of actix-web gives inside of ours: middleware outside recognizes their type.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::middleware::{Next, from_fn};
use actix_web::{App, Error, HttpResponse, ResponseError, test, web};
use sessionkit::actix::{Auth, MaybeSession, Session, SessionMiddleware, SessionRejection};
use sessionkit::testing::ManualClock;
use sessionkit::{MemoryStore, Rejection, SessionConfig, SessionData, SessionManager};

#[derive(SessionData)]
struct Cart {
    items: Vec<u32>,
}

/// The application's own error.
#[derive(Debug)]
struct Broken {
    status: u16,
    cache: Option<&'static str>,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broken")
    }
}

impl ResponseError for Broken {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).expect("a status")
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        if let Some(cache) = self.cache {
            response.insert_header(("cache-control", cache));
        }
        response.finish()
    }
}

fn broken(status: u16, cache: Option<&'static str>) -> Error {
    Broken { status, cache }.into()
}

/// Uses the session as the path says, and fails.
async fn fail(
    mut request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let path = request.path().to_owned();
    match &*path {
        "/write" => request.extract::<Session<Cart>>().await?.items.push(7),
        "/logout" => request.extract::<Auth>().await?.logout().await.map_err(SessionRejection::from)?,
        _ => drop(request.extract::<MaybeSession<Cart>>().await?),
    }
    match &*path {
        "/answered" => next.call(request).await,
        "/missing" => Err(broken(404, None)),
        "/kept" => Err(broken(418, Some("max-age=60"))),
        "/reject" => Err(SessionRejection::from(Rejection::new(403, "No.")).into()),
        _ => Err(broken(418, None)),
    }
}

/// A type that the outer middleware saw.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Seen {
    Broken,
    Rejection,
    Other,
}

#[actix_web::test]
async fn middleware_outside_recognizes_the_error_unless_its_response_has_to_change() {
    let (clock, seen) = (ManualClock::new(), Arc::new(Mutex::new(None)));
    let config = SessionConfig::builder().touch_after(Duration::from_secs(60)).build().expect("the settings agree");
    let manager = SessionManager::builder(MemoryStore::new()).clock(clock.clone()).config(config).build();
    let noted = seen.clone();
    let look = move |request: ServiceRequest, next: Next<_>| {
        let noted = noted.clone();
        async move {
            let answered: Result<ServiceResponse<_>, Error> = next.call(request).await;
            let kind = answered.as_ref().err().map(|error| {
                if error.as_error::<Broken>().is_some() {
                    Seen::Broken
                } else if error.as_error::<SessionRejection>().is_some() {
                    Seen::Rejection
                } else {
                    Seen::Other
                }
            });
            *noted.lock().expect("no holder panics") = kind;
            answered
        }
    };
    let app = App::new().default_service(web::to(HttpResponse::Ok));
    let app = app.wrap(from_fn(fail)).wrap(SessionMiddleware::new(manager)).wrap(from_fn(look));
    let app = test::init_service(app).await;
    let ask = async |path: &str, cookie: &str, accept: &str| {
        let request = test::TestRequest::get().uri(path).insert_header(("cookie", cookie));
        let request = request.insert_header(("accept", accept)).to_request();
        let error = test::try_call_service(&app, request).await.expect_err("it fails");
        let response = error.error_response();
        let header = |name: &str| response.headers().get(name).map(|value| value.to_str().expect("text").to_owned());
        let kind = seen.lock().expect("no holder panics").take().expect("it was seen");
        (kind, response.status().as_u16(), header("set-cookie"), header("vary"), header("content-type"))
    };

    // What was written is stored, so the cookie has to go out.
    let (kind, status, cookie, vary, _) = ask("/write", "", "").await;
    assert_eq!((kind, status, vary.as_deref()), (Seen::Other, 418, Some("Cookie")));
    let cookie = cookie.expect("a session began");
    let cookie = cookie.split(';').next().expect("a cookie has a value");

    let (kind, status, set, ..) = ask("/read", cookie, "").await;
    assert_eq!((kind, status, set), (Seen::Broken, 418, None));
    let (kind, ..) = ask("/write", cookie, "").await;
    assert_eq!(kind, Seen::Broken, "the cookie stays as it is");
    // A touch would set the cookie again; a later response does.
    clock.advance(Duration::from_secs(61));
    let (kind, _, set, ..) = ask("/read", cookie, "").await;
    assert_eq!((kind, set), (Seen::Broken, None));
    clock.advance(Duration::from_secs(61));
    let request = test::TestRequest::get().uri("/answered").insert_header(("cookie", cookie)).to_request();
    assert!(test::call_service(&app, request).await.headers().contains_key("set-cookie"));
    // A cache may keep these, so it has to know that they differ by cookie.
    for path in ["/missing", "/kept"] {
        let (kind, _, _, vary, _) = ask(path, cookie, "").await;
        assert_eq!((kind, vary.as_deref()), (Seen::Other, Some("Cookie")), "{path}");
    }
    let (kind, status, _, _, content_type) = ask("/reject", cookie, "").await;
    assert_eq!((kind, status, content_type.as_deref()), (Seen::Rejection, 403, Some("application/problem+json")));
    let (kind, status, _, _, content_type) = ask("/reject", cookie, "text/html").await;
    assert_eq!((kind, status, content_type.as_deref()), (Seen::Rejection, 403, Some("text/html; charset=utf-8")));
    let (kind, _, set, ..) = ask("/logout", cookie, "").await;
    assert_eq!((kind, set.is_some_and(|set| set.contains("Max-Age=0"))), (Seen::Other, true));
}
