//! Tests of guards that a handler calls: they decide, answer and tell as those of the attribute do.

use std::time::Duration;

use reqwest::Method;
use sessionkit::testing::{TestSession, TestUsers};
use sessionkit::{
    Denial, GuardedRequest, Rejection, Requirement, Rules, SessionErrorKind, SessionInfo, SessionScope, SessionUser,
};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Answer, Bench, Visitor};

use crate::support::{Recorded, RecordedEvent};

#[derive(Clone)]
struct Account {
    is_admin: bool,
}

impl SessionUser for Account {}

struct Office;

impl SessionScope for Office {
    const NAME: &'static str = "Office";
    type Home = sessionkit::OnServer;
}

/// Looks at a header, which the handler's extractors have left behind when it is asked.
struct FromTheOffice;

impl Requirement for FromTheOffice {
    type Error = &'static str;

    async fn is_met(request: &GuardedRequest<'_>) -> Result<bool, Self::Error> {
        Ok(request.head().header("x-network") == Some(b"office") && request.head().host().is_some())
    }
}

fn is_admin(account: &Account) -> bool {
    account.is_admin
}

fn is_broken(_: &SessionInfo) -> Result<bool, &'static str> {
    Err("the predicate is broken")
}

/// Answers with what it sees of the request.
fn refused(denial: &Denial<'_>) -> Rejection {
    let network = denial.head.header("x-network").map(String::from_utf8_lossy).unwrap_or_default();
    Rejection::new(403, format!("{:?} {network} {}", denial.reason, denial.head.method()))
}

const FRESH: Duration = Duration::from_secs(300);

/// The same answer and the same events, but for the name of the handler and the path.
fn assert_same(path: &str, by_attribute: (Answer, Vec<RecordedEvent>), by_call: (Answer, Vec<RecordedEvent>)) {
    let shown = |(answer, events): (Answer, Vec<RecordedEvent>)| {
        let mut headers: Vec<_> =
            answer.headers.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
        headers.retain(|(name, _)| name != "date");
        headers.sort_by(|one, other| one.0.cmp(&other.0));
        let events: Vec<_> = events
            .into_iter()
            .map(|seen| (seen.name, seen.reason, seen.user, seen.session, seen.route.replace("/called", "/attribute")))
            .collect();
        (answer.status, format!("{headers:?}").replace("/called", "/attribute"), answer.body, events)
    };
    assert_eq!(shown(by_attribute), shown(by_call), "{path}");
}

async fn ask(recorded: &Recorded, visitor: &Visitor, ask: &Ask, path: &str) -> (Answer, Vec<RecordedEvent>) {
    recorded.take();
    let answer = visitor.send(ask.method.clone(), path, ask.headers, "").await;
    (answer, recorded.take())
}

struct Ask {
    method: Method,
    headers: &'static [(&'static str, &'static [u8])],
}

behaviour! {
    tests: [
        a_called_guard_decides_answers_and_tells_as_the_attribute_does,
        the_options_of_the_guard_before_hold_for_a_called_one,
        the_error_keeps_what_it_is_made_of,
        a_called_guard_is_a_guard,
        a_websocket_asks_for_each_message,
        after_the_response_a_called_guard_lets_nobody_pass,
    ];

    type Answered = Result<Reply, SessionRejection>;

    #[session(require_login)]
    async fn login_by_attribute() -> Reply {
        Reply::ok("page")
    }

    async fn login_by_call(auth: Auth) -> Answered {
        auth.require_login().await?;
        Ok(Reply::ok("page"))
    }

    #[session(require_fresh = "5m")]
    async fn fresh_by_attribute() -> Reply {
        Reply::ok("page")
    }

    async fn fresh_by_call(auth: Auth) -> Answered {
        auth.require_fresh(FRESH).await?;
        Ok(Reply::ok("page"))
    }

    #[session(require = is_admin)]
    async fn admin_by_attribute() -> Reply {
        Reply::ok("page")
    }

    async fn admin_by_call(auth: Auth) -> Answered {
        auth.check(&Rules::new().require(is_admin)).await?;
        Ok(Reply::ok("page"))
    }

    #[session(guest_only)]
    async fn guests_by_attribute() -> Reply {
        Reply::ok("page")
    }

    async fn guests_by_call(auth: Auth) -> Answered {
        auth.check(&Rules::new().guest_only()).await?;
        Ok(Reply::ok("page"))
    }

    #[session(requirement = FromTheOffice, login_url = "/office/login")]
    async fn office_by_attribute() -> Reply {
        Reply::ok("page")
    }

    async fn office_by_call(auth: Auth) -> Answered {
        auth.check(&Rules::new().requirement::<FromTheOffice>().login_path("/office/login")).await?;
        Ok(Reply::ok("page"))
    }

    #[session(require_login, require = is_admin, on_denied = refused)]
    async fn answered_by_attribute() -> Reply {
        Reply::ok("page")
    }

    async fn answered_by_call(auth: Auth) -> Answered {
        auth.check(&Rules::new().require_login().require(is_admin).on_denied(refused)).await?;
        Ok(Reply::ok("page"))
    }

    #[session(require = is_broken)]
    async fn broken_by_attribute() -> Reply {
        Reply::ok("page")
    }

    async fn broken_by_call(auth: Auth) -> Answered {
        auth.check(&Rules::new().require(is_broken)).await?;
        Ok(Reply::ok("page"))
    }

    async fn a_called_guard_decides_answers_and_tells_as_the_attribute_does(bench: Bench) {
        let recorded = Recorded::default();
        let users = TestUsers::new([("ada", Account { is_admin: true }), ("bob", Account { is_admin: false })]);
        let manager = bench.builder().user_loader(users).event_sink(recorded.clone()).build();
        let routes = routes![
            "/attribute/login" => login_by_attribute, "/called/login" => login_by_call,
            "/attribute/fresh" => fresh_by_attribute, "/called/fresh" => fresh_by_call,
            "/attribute/admin" => admin_by_attribute, "/called/admin" => admin_by_call,
            "/attribute/guests" => guests_by_attribute, "/called/guests" => guests_by_call,
            "/attribute/office" => office_by_attribute, "/called/office" => office_by_call,
            "/attribute/answered" => answered_by_attribute, "/called/answered" => answered_by_call,
            "/attribute/broken" => broken_by_attribute, "/called/broken" => broken_by_call,
        ];
        let server = serve_fenced(&bench, manager.clone(), Rules::public(), routes).await;
        let [ada, bob] = ["ada", "bob"].map(|user| TestSession::new(&manager).login(user));
        let (ada, bob) = (ada.await, bob.await);
        bench.clock.advance(FRESH);
        let carol = TestSession::new(&manager).login("ada").await;
        let visitors = [server.visitor(), server.visitor_with(&ada), server.visitor_with(&bob), server.visitor_with(&carol)];
        let asks = [
            Ask { method: Method::GET, headers: &[] },
            Ask { method: Method::GET, headers: &[("sec-fetch-mode", b"navigate"), ("x-network", b"office")] },
            Ask { method: Method::GET, headers: &[("accept", b"text/html"), ("x-network", b"home")] },
            Ask { method: Method::POST, headers: &[("sec-fetch-mode", b"navigate")] },
        ];
        let mut statuses = std::collections::BTreeSet::new();
        for visitor in &visitors {
            // The touch that is due comes once.
            visitor.get("/attribute/login").await;
            for request in &asks {
                for name in ["login", "fresh", "admin", "guests", "office", "answered", "broken"] {
                    for nested in ["", "/fenced"] {
                        let by_attribute = format!("{nested}/attribute/{name}?item=7&next=8");
                        let by_attribute = ask(&recorded, visitor, request, &by_attribute).await;
                        let called = format!("{nested}/called/{name}?item=7&next=8");
                        let by_call = ask(&recorded, visitor, request, &called).await;
                        statuses.insert(by_call.0.status);
                        assert_same(&called, by_attribute, by_call);
                    }
                }
            }
        }
        assert_eq!(statuses.into_iter().collect::<Vec<_>>(), [200, 303, 401, 403, 500]);
    }

    #[session(require_login, login_url = "/office/login", on_denied = refused)]
    async fn twice(auth: Auth) -> Answered {
        auth.require_fresh(FRESH).await?;
        Ok(Reply::ok("page"))
    }

    async fn the_options_of_the_guard_before_hold_for_a_called_one(bench: Bench) {
        let manager = bench.manager();
        let server = serve_with(&bench, manager.clone(), routes!["/twice" => twice]).await;
        let ada = server.visitor_with(&TestSession::new(&manager).login("ada").await);
        assert_eq!(ada.get("/twice").await.status, 200);
        bench.clock.advance(FRESH);
        let answer = ada.send(Method::GET, "/twice", &[("x-network", b"home")], "").await;
        assert!(answer.status == 403 && answer.body.contains("FreshLoginRequired home GET"), "{answer:?}");
    }

    /// A part of the application that knows nothing of the framework.
    async fn resolve(auth: &Auth) -> Result<&'static str, Box<dyn std::error::Error + Send + Sync>> {
        auth.require_login().await?;
        Ok("resolved")
    }

    async fn resolver(auth: Auth) -> Answered {
        let Err(error) = auth.require_login().await else { return Ok(Reply::ok("somebody")) };
        let rejection = SessionRejection::from(error.clone());
        assert_eq!((rejection.status(), rejection.kind()), (error.status(), error.kind()));
        assert!(matches!(error.kind(), SessionErrorKind::Denied(_)), "{error:?}");
        let refused = resolve(&auth).await.unwrap_err();
        let refused = refused.downcast::<sessionkit::SessionError>().expect("`?` keeps it");
        let source = std::error::Error::source(&refused).map(ToString::to_string).unwrap_or_default();
        Ok(Reply::ok(format!("{} {}: {source}", error.status(), rejection.detail())))
    }

    async fn the_error_keeps_what_it_is_made_of(bench: Bench) {
        let server = serve(&bench, routes!["/resolver" => resolver]).await;
        let answer = server.visitor().get("/resolver").await;
        assert_eq!(answer.body, "401 Please log in.: 401 Unauthorized: Please log in.");
        let page = server.visitor().send(Method::GET, "/resolver", &[("sec-fetch-mode", b"navigate")], "").await;
        assert!(page.status == 200 && page.body.starts_with("303 Please log in."), "{page:?}");
    }

    async fn unguarded(_auth: Auth) -> Reply {
        Reply::ok("nobody asked")
    }

    async fn public(auth: Auth) -> Answered {
        auth.check(&Rules::public()).await?;
        Ok(Reply::ok("public"))
    }

    async fn office_login(auth: Auth<Office>) -> Answered {
        auth.check(&Rules::for_scope().require_login()).await?;
        Ok(Reply::ok("office"))
    }

    async fn a_called_guard_is_a_guard(bench: Bench) {
        let manager = bench.manager();
        let ada = TestSession::new(&manager).login("ada").await;
        let routes = routes!["/called" => login_by_call, "/public" => public, "/unguarded" => unguarded];
        let server = serve_withholding(&bench, manager, Rules::public(), routes).await;
        let ada = server.visitor_with(&ada);
        for (path, status) in [("/called", 200), ("/public", 200), ("/unguarded", 403)] {
            assert_eq!(ada.get(path).await.status, status, "{path}");
        }
        assert_eq!(server.visitor().get("/called").await.status, 401);
        // The layer that withholds is of another scope.
        let config = sessionkit::SessionConfig::builder().cookie_name("__Host-office").build().unwrap();
        let office = bench.builder().config(config).for_scope::<Office>().build();
        let clerk = TestSession::new(&office).login("clerk").await.cookie();
        let server = serve_withholding_beside(&bench, office, routes!["/office" => office_login]).await;
        let answer = server.visitor().send(Method::GET, "/office", &[("cookie", clerk.as_bytes())], "").await;
        assert_eq!((answer.status, &*answer.body), (200, "office"));
    }

    async fn talk(mut socket: Socket, mut handle: SessionHandle) {
        let rules = Rules::new().require(is_admin).requirement::<FromTheOffice>();
        while let Some(line) = socket.receive().await {
            handle.reload().await.unwrap();
            let decided = match &*line {
                "login" => handle.require_login().await,
                "fresh" => handle.require_fresh(FRESH).await,
                _ => handle.check(&rules).await,
            };
            socket.send(decided.map_or_else(|error| format!("{}", error.status()), |()| "fine".to_owned())).await;
        }
    }

    async fn chat(handle: SessionHandle, request: Upgrade) -> Answering {
        upgrade(request, |socket| talk(socket, handle))
    }

    async fn a_websocket_asks_for_each_message(bench: Bench) {
        let recorded = Recorded::default();
        let users = TestUsers::new([("ada", Account { is_admin: true })]);
        let manager = bench.builder().user_loader(users).event_sink(recorded.clone()).build();
        let server = serve_with(&bench, manager.clone(), routes!["/chat" => chat]).await;
        let ada = TestSession::new(&manager).login("ada").await;
        let mut socket = server.visitor_with(&ada).open("/chat").await.unwrap();
        assert_eq!(socket.ask("login").await.as_deref(), Some("fine"));
        assert_eq!(socket.ask("fresh").await.as_deref(), Some("fine"));
        // No header says that she is in the office.
        assert_eq!(socket.ask("rules").await.as_deref(), Some("403"));
        bench.clock.advance(FRESH);
        assert_eq!(socket.ask("fresh").await.as_deref(), Some("401"));
        recorded.take();
        assert_eq!(manager.end_everyone().await.unwrap(), 1);
        assert_eq!(socket.ask("login").await.as_deref(), Some("401"));
        let denied: Vec<_> = recorded.take().into_iter().filter(|seen| seen.name == "denied").collect();
        assert_eq!(denied.len(), 1, "{denied:?}");
        assert_eq!((&*denied[0].reason, &*denied[0].route), ("not logged in", "GET /chat"));
    }

    async fn late(auth: Auth, Shared(gates): Shared) -> Reply {
        let asking = gates.clone();
        tokio::spawn(async move {
            asking.pass("late").await;
            let error = auth.require_login().await.unwrap_err();
            assert!(error.status() == 500 && error.to_string().contains("SessionHandle"), "{error}");
            asking.note("refused");
        });
        Reply::ok("sent")
    }

    async fn after_the_response_a_called_guard_lets_nobody_pass(bench: Bench) {
        let manager = bench.manager();
        let server = serve_with(&bench, manager.clone(), routes!["/late" => late]).await;
        let ada = server.visitor_with(&TestSession::new(&manager).login("ada").await);
        assert_eq!(ada.get("/late").await.status, 200);
        bench.gates.open("late", 1);
        bench.gates.arrived("refused", 1).await;
    }
}
