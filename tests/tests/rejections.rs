//! The answers that clients get in place of a handler's, and the errors that handlers, hooks and the log see.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use reqwest::Method;
use sessionkit::{
    DenialReason, Rejection, SessionData, SessionError, SessionErrorKind, SessionManager, SessionManagerBuilder,
    SessionScope, SessionUser, UserLoader,
};
use sessionkit_tests::both_frameworks;
use sessionkit_tests::harness::{Answer, Bench, HeldStore, Log, Server, Visitor};

#[derive(SessionData)]
struct Cart {
    views: u64,
    note: String,
}

struct Office;

impl SessionScope for Office {
    const NAME: &'static str = "Office";
    type Home = sessionkit::OnServer;
}

struct Person;

impl SessionUser for Person {}

/// Knows everybody, and is down for whoever is called so.
struct Directory;

#[derive(Debug)]
struct DirectoryDown;

impl fmt::Display for DirectoryDown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the directory hides behind directory.internal")
    }
}

impl Error for DirectoryDown {}

impl UserLoader for Directory {
    type User = Person;
    type Error = DirectoryDown;

    async fn load(&self, id: &str) -> Result<Option<Person>, DirectoryDown> {
        if id == "down" { Err(DirectoryDown) } else { Ok(Some(Person)) }
    }
}

/// An error of the application, the same on both frameworks.
#[derive(Debug)]
struct AppError(SessionError);

impl From<SessionError> for AppError {
    fn from(error: SessionError) -> Self {
        Self(error)
    }
}

impl fmt::Display for AppError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl ::axum::response::IntoResponse for AppError {
    fn into_response(self) -> ::axum::response::Response {
        sessionkit::axum::SessionRejection::from(self.0).into_response()
    }
}

impl actix_web::ResponseError for AppError {
    fn error_response(&self) -> actix_web::HttpResponse {
        sessionkit::actix::SessionRejection::from(self.0.clone()).error_response()
    }
}

const PAGE: &str = "text/html; charset=utf-8";
const PROBLEM: &str = "application/problem+json";

async fn navigate(visitor: &Visitor, path: &str) -> Answer {
    visitor.send(Method::GET, path, &[("sec-fetch-mode", b"navigate")], "").await
}

/// Asserts that a person gets a page and a program a problem document, and returns both.
async fn both(server: &Server, path: &str, status: u16, title: &str) -> [Answer; 2] {
    let page = navigate(&server.visitor(), path).await;
    let problem = server.visitor().get(path).await;
    assert_eq!((page.status, page.all("content-type")), (status, vec![PAGE]), "{path}: {page:?}");
    assert!(
        page.body.contains(&format!("<h1>{title}</h1>")) && !page.body.contains("<script"),
        "{path}: {}",
        page.body
    );
    assert_eq!((problem.status, problem.all("content-type")), (status, vec![PROBLEM]), "{path}: {problem:?}");
    let document: serde_json::Value = serde_json::from_str(&problem.body).expect("a problem document is JSON");
    assert_eq!((&document["title"], &document["status"]), (&title.into(), &status.into()), "{path}");
    for answer in [&page, &problem] {
        assert_eq!(answer.all("cache-control"), ["no-store"], "{path}");
        assert!(!answer.body.contains("directory.internal"), "{path}: {}", answer.body);
    }
    [page, problem]
}

both_frameworks! {
    tests: [
        people_get_a_page_and_programs_a_problem_document,
        a_500_tells_the_client_nothing_and_the_log_what_to_do,
        in_development_the_body_says_what_to_do,
        a_hook_replaces_pages_and_problem_documents,
        a_hook_that_panics_is_an_opaque_500,
        a_replaced_answer_keeps_the_headers_that_are_not_of_its_body,
        a_handler_knows_what_failed_and_why,
        a_rejection_takes_headers,
        a_header_that_cannot_be_sent_is_a_500_that_the_log_explains,
        each_scope_answers_by_its_own_manager,
    ];

    /// No login helps, since guests alone may come.
    #[session(guest_only, require = |cart: &Cart| cart.views > 0)]
    async fn buyers() -> Reply {
        Reply::ok("welcome")
    }

    async fn profile(auth: Auth) -> Result<Reply, SessionRejection> {
        auth.login("down").await?;
        auth.user::<Person>().await?;
        Ok(Reply::ok("found"))
    }

    async fn pretend(auth: Auth) -> Result<Reply, AppError> {
        auth.login("ada").await?;
        auth.impersonate("bob").await?;
        auth.impersonate("eve").await?;
        Ok(Reply::ok("eve"))
    }

    async fn nobody(auth: Auth) -> Result<Reply, AppError> {
        auth.login("").await?;
        Ok(Reply::ok("who?"))
    }

    async fn grow(mut cart: Session<Cart>) -> Reply {
        cart.note = "x".repeat(10_000);
        handled()
    }

    async fn count(mut cart: Session<Cart>) -> Reply {
        cart.views += 1;
        handled()
    }

    fn handled() -> Reply {
        Reply::see_other("/done")
            .header("content-type", "text/plain")
            .header("etag", "\"1\"")
            .header("cache-control", "max-age=60")
            .header("x-request-id", "7")
            .header("access-control-allow-origin", "https://pay.example")
            .header("set-cookie", "theme=dark")
    }

    fn builder(bench: &Bench) -> SessionManagerBuilder {
        bench.builder().user_loader(Directory)
    }

    async fn start(bench: &Bench, manager: SessionManager) -> Server {
        let routes = routes![
            "/buyers" => buyers, "/profile" => profile, "/pretend" => pretend, "/nobody" => nobody, "/grow" => grow,
            "/count" => count, "/ask" => ask, "/busy" => busy, "/split" => split,
        ];
        serve_with(bench, manager, routes).await
    }

    async fn people_get_a_page_and_programs_a_problem_document() {
        let bench = Bench::memory().with_config(|config| config.max_record_size(1_000));
        let server = start(&bench, builder(&bench).build()).await;
        both(&server, "/buyers", 403, "Forbidden").await;
        both(&server, "/profile", 503, "Service Unavailable").await;
        both(&server, "/pretend", 409, "Conflict").await;
        both(&server, "/nobody", 500, "Internal Server Error").await;
        // The handler answered, and its answer did not stand.
        both(&server, "/grow", 500, "Internal Server Error").await;
    }

    async fn a_500_tells_the_client_nothing_and_the_log_what_to_do() {
        let log = Log::collect();
        let bench = Bench::memory().with_config(|config| config.max_record_size(1_000));
        let server = start(&bench, bench.manager()).await;
        for (path, what_to_do) in [
            ("/grow", "store less in it, or raise the setting"),
            ("/nobody", "the id of a user must not be empty"),
            ("/profile", "SessionManagerBuilder::user_loader"),
        ] {
            for answer in both(&server, path, 500, "Internal Server Error").await {
                assert!(answer.body.contains("The server could not answer this request."), "{path}: {}", answer.body);
                assert!(!answer.body.contains(what_to_do), "{path}: {}", answer.body);
            }
            assert!(log.text().contains(what_to_do), "{path}: {}", log.text());
        }
    }

    async fn in_development_the_body_says_what_to_do() {
        let bench = Bench::memory().with_config(|config| config.dev().max_record_size(1_000));
        let server = start(&bench, bench.manager()).await;
        for (path, what_to_do) in [
            ("/grow", "store less in it, or raise the setting"),
            ("/nobody", "the id of a user must not be empty"),
            ("/profile", "SessionManagerBuilder::user_loader"),
        ] {
            for answer in both(&server, path, 500, "Internal Server Error").await {
                assert!(answer.body.contains(what_to_do), "{path}: {}", answer.body);
            }
        }
    }

    async fn a_hook_replaces_pages_and_problem_documents() {
        let bench = Bench::memory().with_config(|config| config.max_record_size(1_000));
        let builder = builder(&bench)
            .on_denied(|denial| match denial.head.path() {
                "/buyers" if denial.head.header("x-own").is_some() => Rejection::html(403, "the denial's own"),
                _ => denial.answer(),
            })
            .on_rejection(|rejection, request| match request.is_navigation() {
                true => {
                    let text = format!("{} {:?} {}", rejection.status(), rejection.kind(), request.path());
                    rejection.with_html(text)
                }
                false if request.header("x-plain").is_some() => rejection,
                false => rejection.with_header("x-seen", "yes").with_body("application/json", "{}"),
            });
        let server = start(&bench, builder.build()).await;
        for (path, status, kind) in [
            ("/buyers", 403, SessionErrorKind::Denied(DenialReason::NotAllowed)),
            ("/profile", 503, SessionErrorKind::UserLoader),
            ("/pretend", 409, SessionErrorKind::Impersonating),
            ("/grow", 500, SessionErrorKind::RecordTooLarge),
        ] {
            let page = navigate(&server.visitor(), path).await;
            assert_eq!((page.status, &*page.body), (status, &*format!("{status} {kind:?} {path}")));
            let document = server.visitor().get(path).await;
            assert_eq!((document.status, &*document.body, document.all("x-seen")), (status, "{}", vec!["yes"]));
            assert_eq!(document.all("content-type"), ["application/json"]);
            let plain = server.visitor().send(Method::GET, path, &[("x-plain", b"1")], "").await;
            assert_eq!((plain.status, plain.all("content-type")), (status, vec![PROBLEM]));
        }
        let own = server.visitor().send(Method::GET, "/buyers", &[("x-own", b"1")], "").await;
        assert_eq!((own.status, &*own.body), (403, "the denial's own"));
    }

    async fn a_hook_that_panics_is_an_opaque_500() {
        let log = Log::collect();
        let bench = Bench::memory();
        let server = start(&bench, bench.builder().on_rejection(|_, _| panic!("on purpose")).build()).await;
        both(&server, "/buyers", 500, "Internal Server Error").await;
        assert!(log.text().contains("on_rejection panicked"), "{}", log.text());
    }

    /// Defect: a commit that failed took the headers of inner layers with it.
    async fn a_replaced_answer_keeps_the_headers_that_are_not_of_its_body() {
        let bench = Bench::memory();
        let deadline = Duration::from_millis(100);
        let bench = bench.with_config(|config| config.max_record_size(1_000).commit_deadline(deadline));
        let store = HeldStore::new(bench.store.clone(), &bench.gates);
        store.hold("before insert");
        let server = start(&bench, bench.manager_over(store)).await;
        for (path, status) in [("/grow", 500), ("/count", 503)] {
            for answer in [navigate(&server.visitor(), path).await, server.visitor().get(path).await] {
                assert_eq!(answer.status, status, "{path}: {answer:?}");
                assert_eq!(answer.all("x-request-id"), ["7"], "{path}");
                assert_eq!(answer.all("access-control-allow-origin"), ["https://pay.example"], "{path}");
                assert_eq!(answer.cookies(), ["theme=dark"], "{path}");
                assert_eq!(answer.all("cache-control"), ["no-store"], "{path}");
                assert_eq!(answer.all("content-type").len(), 1, "{path}");
                for gone in ["etag", "location"] {
                    assert_eq!(answer.all(gone), [""; 0], "{path}");
                }
                assert_eq!(answer.all("content-length"), [answer.body.len().to_string()], "{path}");
            }
        }
    }

    async fn ask(auth: Auth, person: Result<User<Person>, SessionRejection>, shared: Shared) -> Reply {
        let refused = person.expect_err("nobody is logged in");
        shared.0.note(&format!("{} {:?} {}", refused.status(), refused.kind(), refused.detail()));
        shared.0.note(&format!("{:?}", refused.error().map(SessionError::status)));
        auth.login("down").await.expect("anybody may log in");
        let failed = auth.user::<Person>().await.map(drop).expect_err("the directory is down");
        let cause = failed.source().is_some_and(|cause| cause.is::<DirectoryDown>());
        shared.0.note(&format!("{:?} {} {cause}", failed.kind(), failed.status()));
        Reply::ok("asked")
    }

    async fn a_handler_knows_what_failed_and_why() {
        let bench = Bench::memory();
        let server = start(&bench, builder(&bench).build()).await;
        server.visitor().get("/ask").await;
        for noted in ["401 Denied(LoginRequired) Please log in.", "Some(401)", "UserLoader 503 true"] {
            assert_eq!(bench.gates.noted(noted), 1, "{noted}");
        }
    }

    async fn busy(auth: Auth) -> Result<Reply, SessionRejection> {
        auth.login("down").await?;
        match auth.user::<Person>().await {
            Ok(_) => Ok(Reply::ok("found")),
            Err(error) => Err(SessionRejection::from(error).with_header("Retry-After", 5).with_header("HX-Redirect", "/")),
        }
    }

    async fn split(auth: Auth, body: Body) -> Result<Reply, SessionRejection> {
        match auth.impersonate("bob").await {
            Ok(()) => Ok(Reply::ok("bob")),
            Err(error) => Err(SessionRejection::from(error).with_header("HX-Redirect", body)),
        }
    }

    async fn a_rejection_takes_headers() {
        let bench = Bench::memory();
        let builder = builder(&bench).on_denied(|denial| denial.answer().with_header("WWW-Authenticate", "Bearer"));
        let server = start(&bench, builder.build()).await;
        for answer in both(&server, "/busy", 503, "Service Unavailable").await {
            assert_eq!((answer.all("retry-after"), answer.all("hx-redirect")), (vec!["5"], vec!["/"]));
        }
        for answer in both(&server, "/buyers", 403, "Forbidden").await {
            assert_eq!(answer.all("www-authenticate"), ["Bearer"]);
        }
    }

    async fn a_header_that_cannot_be_sent_is_a_500_that_the_log_explains() {
        let log = Log::collect();
        let bench = Bench::memory();
        let server = start(&bench, bench.manager()).await;
        let fine = server.visitor().post("/split", "/login").await;
        assert_eq!((fine.status, fine.all("hx-redirect")), (401, vec!["/login"]));
        let refused = server.visitor().post("/split", "/login\r\nset-cookie: a=b").await;
        assert_eq!((refused.status, refused.all("hx-redirect"), refused.cookies().len()), (500, vec![], 0));
        assert!(log.text().contains("the header `hx-redirect` cannot be given to a rejection"), "{}", log.text());
    }

    /// Both layers look at its answer, the inner one first.
    async fn in_the_office(auth: Auth<Office>, _shop: Auth) -> Result<Reply, AppError> {
        auth.login("").await?;
        Ok(Reply::ok("who?"))
    }

    async fn each_scope_answers_by_its_own_manager() {
        let bench = Bench::memory();
        let config = sessionkit::SessionConfig::builder().cookie_name("__Host-office").build().expect("it is a name");
        let office = SessionManager::builder(sessionkit::MemoryStore::new()).for_scope::<Office>().config(config);
        let office = office.on_rejection(|rejection, _| rejection.with_body("text/plain", "the office")).build();
        let server = serve_scopes(&bench, office, routes!["/office" => in_the_office, "/nobody" => nobody]).await;
        for answer in [server.visitor().get("/office").await, navigate(&server.visitor(), "/office").await] {
            assert_eq!((answer.status, &*answer.body), (500, "the office"));
        }
        both(&server, "/nobody", 500, "Internal Server Error").await;
    }
}
