//! Tests of the reasons for denials. An extractor that finds no user denies only if its rejection becomes the answer.

use std::time::Duration;

use sessionkit::testing::{TestSession, TestUsers};
use sessionkit::{AuditSink, Denial, GuardedRequest, Rejection, RequestHead, Requirement, SessionInfo, SessionUser};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::Bench;

use crate::support::{Recorded, Trail};

#[derive(Clone)]
struct Account;

impl SessionUser for Account {}

struct Broken;

impl Requirement for Broken {
    type Error = &'static str;

    async fn is_met(request: &GuardedRequest<'_>) -> Result<bool, Self::Error> {
        assert!(request.head().path() != "/panicking", "the requirement panics on purpose");
        Err("the requirement is broken")
    }
}

fn nowhere(_: &RequestHead<'_>) -> String {
    String::new()
}

fn fails(_: &Denial<'_>) -> Rejection {
    panic!("the page panics on purpose");
}

behaviour! {
    tests: [
        only_a_refusal_that_is_the_answer_is_told,
        each_reason_is_told_by_its_name,
        what_cannot_be_decided_or_answered_is_a_failure,
        that_nobody_is_logged_in_is_none,
        the_trail_names_the_handler_and_the_scope,
    ];

    #[session(require_login)]
    async fn members() -> Reply {
        Reply::ok("members")
    }

    #[session(require_fresh = "5m")]
    async fn fresh() -> Reply {
        Reply::ok("fresh")
    }

    #[session(guest_only)]
    async fn guests() -> Reply {
        Reply::ok("guests")
    }

    #[session(not(require_login))]
    async fn nobody() -> Reply {
        Reply::ok("nobody")
    }

    #[session(require_login, guest_only)]
    async fn forbidden() -> Reply {
        Reply::ok("forbidden")
    }

    #[session(require = |_: &SessionInfo| Err::<bool, _>("the predicate is broken"))]
    async fn predicate() -> Reply {
        Reply::ok("predicate")
    }

    #[session(requirement = Broken)]
    async fn requirement() -> Reply {
        Reply::ok("requirement")
    }

    #[session(guest_only, on_denied = fails)]
    async fn page() -> Reply {
        Reply::ok("page")
    }

    #[session(require_fresh = "5m", login_url = nowhere)]
    async fn lost() -> Reply {
        Reply::ok("lost")
    }

    async fn elevate(auth: Auth) -> Result<Reply, SessionRejection> {
        auth.elevate("otp").await?;
        Ok(Reply::ok("up"))
    }

    async fn each_reason_is_told_by_its_name(bench: Bench) {
        let recorded = Recorded::default();
        let manager = bench.builder().event_sink(recorded.clone()).build();
        let routes = routes![
            "/members" => members, "/fresh" => fresh, "/guests" => guests, "/nobody" => nobody, "/forbidden" => forbidden,
        ];
        let server = serve_with(&bench, manager.clone(), routes).await;
        let ada = server.visitor_with(&TestSession::new(&manager).login("ada").await);
        bench.clock.advance(Duration::from_secs(300));
        let stranger = server.visitor();
        for (visitor, path, status, reason, says) in [
            (&stranger, "/forbidden", 403, "not allowed", "You are not allowed"),
            (&stranger, "/members", 401, "not logged in", "Please log in."),
            (&ada, "/fresh", 401, "login not fresh", "not recent enough"),
            (&ada, "/guests", 403, "not a guest", "You are logged in already."),
            (&ada, "/nobody", 403, "not allowed", "You are logged in, but not allowed"),
        ] {
            recorded.take();
            let answer = visitor.get(path).await;
            assert!(answer.status == status && answer.body.contains(says), "{path}: {answer:?}");
            let seen = recorded.take();
            let seen: Vec<_> = seen.iter().map(|seen| (&*seen.name, &*seen.reason)).collect();
            assert_eq!(seen, [("denied", reason)], "{path}");
        }
    }

    async fn what_cannot_be_decided_or_answered_is_a_failure(bench: Bench) {
        let recorded = Recorded::default();
        let manager = bench.builder().event_sink(recorded.clone()).build();
        let routes = routes![
            "/predicate" => predicate, "/requirement" => requirement, "/panicking" => requirement, "/page" => page,
            "/lost" => lost,
        ];
        let server = serve_with(&bench, manager.clone(), routes).await;
        let ada = server.visitor_with(&TestSession::new(&manager).login("ada").await);
        bench.clock.advance(Duration::from_secs(300));
        for (path, says, names) in [
            ("/predicate", "the predicate is broken", &["failed"][..]),
            ("/requirement", "the requirement is broken", &["failed"]),
            ("/panicking", "a requirement panicked", &["failed"]),
            ("/page", "on_denied or login_url panicked", &["denied", "failed"]),
            ("/lost", "which is no address", &["denied", "failed"]),
        ] {
            recorded.take();
            let answer = ada.send(reqwest::Method::GET, path, &[("sec-fetch-mode", b"navigate")], "").await;
            assert!(answer.status == 500 && !answer.body.contains(says), "{path}: {answer:?}");
            let seen = recorded.take();
            assert_eq!(seen.iter().map(|seen| &*seen.name).collect::<Vec<_>>(), names, "{path}");
            assert!(seen.iter().any(|seen| seen.printed.contains(says)), "{path}: {seen:?}");
        }
    }

    async fn the_trail_names_the_handler_and_the_scope(bench: Bench) {
        let trail = Trail::default();
        let manager = bench.builder().event_sink(AuditSink::new(trail.clone())).build();
        let server = serve_with(&bench, manager.clone(), routes!["/forbidden" => forbidden]).await;
        server.visitor().get("/forbidden").await;
        manager.drain().await;
        let [entry] = &trail.entries()[..] else { panic!("there is one entry: {:?}", trail.lines()) };
        assert_eq!((entry.event, entry.scope), ("denied", "Main"));
        assert!(entry.handler.is_some_and(|handler| handler.ends_with("::forbidden")), "{entry:?}");
    }

    async fn that_nobody_is_logged_in_is_none(bench: Bench) {
        let recorded = Recorded::default();
        let manager = bench.builder().event_sink(recorded.clone()).build();
        let server = serve_with(&bench, manager, routes!["/elevate" => elevate]).await;
        assert_eq!(server.visitor().get("/elevate").await.status, 401);
        assert_eq!(recorded.names(), [""; 0]);
    }

    async fn required(_user: User<Account>) -> Reply {
        Reply::ok("somebody")
    }

    async fn optional(user: Option<User<Account>>) -> Reply {
        Reply::ok(user.is_some())
    }

    async fn maybe(MaybeUser(user): MaybeUser<Account>) -> Reply {
        Reply::ok(user.is_some())
    }

    async fn handled(user: Result<User<Account>, SessionRejection>) -> Reply {
        Reply::ok(user.is_ok())
    }

    async fn returned(user: Result<User<Account>, SessionRejection>) -> Result<Reply, SessionRejection> {
        user?;
        Ok(Reply::ok("somebody"))
    }

    async fn only_a_refusal_that_is_the_answer_is_told(bench: Bench) {
        let recorded = Recorded::default();
        let users = TestUsers::new([("ada", Account)]);
        let manager = bench.builder().user_loader(users).event_sink(recorded.clone()).build();
        let routes = routes![
            "/required" => required, "/optional" => optional, "/maybe" => maybe, "/handled" => handled,
            "/returned" => returned,
        ];
        let server = serve_with(&bench, manager, routes).await;
        for (path, status, body) in [("/optional", 200, "false"), ("/maybe", 200, "false"), ("/handled", 200, "false")] {
            let answer = server.visitor().get(path).await;
            assert_eq!((answer.status, &*answer.body), (status, body), "{path}");
            assert_eq!(recorded.names(), [""; 0], "{path}: nobody was denied anything");
        }
        for path in ["/required", "/returned"] {
            assert_eq!(server.visitor().get(path).await.status, 401, "{path}");
            let seen = recorded.take();
            assert_eq!(seen.len(), 1, "{path}: {seen:?}");
            let (name, reason, route) = (&*seen[0].name, &*seen[0].reason, &*seen[0].route);
            assert_eq!((name, reason, route), ("denied", "not logged in", &*format!("GET {path}")));
        }
    }
}
