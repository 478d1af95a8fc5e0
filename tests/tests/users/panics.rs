//! Predicates and requirements that panic decide nothing.

use sessionkit::testing::TestSession;
use sessionkit::{GuardedRequest, Requirement, Rules, SessionData};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, Log};

use crate::accounts::{Account, Accounts};

#[derive(SessionData)]
struct Cart {
    paid: bool,
}

struct Panics;

impl Requirement for Panics {
    type Error = String;

    async fn is_met(_: &GuardedRequest<'_>) -> Result<bool, Self::Error> {
        panic!("a requirement panics on purpose")
    }
}

fn of_the_user(_: &Account) -> bool {
    panic!("a predicate panics on purpose")
}

fn of_the_session(_: &Cart) -> bool {
    panic!("a predicate panics on purpose")
}

behaviour! {
    tests: [whoever_asks_what_panics_gets_a_500];

    #[session(require = of_the_user)]
    async fn user() -> Reply {
        Reply::ok("secret")
    }

    #[session(not(require = of_the_session))]
    async fn not_session() -> Reply {
        Reply::ok("secret")
    }

    #[session(any(require = of_the_session, require_login))]
    async fn any_session() -> Reply {
        Reply::ok("secret")
    }

    #[session(any(require_login, require = of_the_session))]
    async fn decided_before() -> Reply {
        Reply::ok("open")
    }

    #[session(not(requirement = Panics))]
    async fn not_requirement() -> Reply {
        Reply::ok("secret")
    }

    async fn page() -> Reply {
        Reply::ok("secret")
    }

    async fn whoever_asks_what_panics_gets_a_500(bench: Bench) {
        let (manager, log) = (bench.builder().user_loader(Accounts::new(&bench.gates)).build(), Log::collect());
        let routes = routes![
            "/user" => user, "/not" => not_session, "/any" => any_session, "/before" => decided_before,
            "/requirement" => not_requirement, "/page" => page,
        ];
        let server = serve_fenced(&bench, manager.clone(), Rules::new().require(of_the_session), routes).await;
        let ada = server.visitor_with(&TestSession::new(&manager).login("ada").await);
        for path in ["/user", "/not", "/any", "/requirement", "/fenced/page"] {
            let answer = ada.get(path).await;
            assert_eq!(answer.status, 500, "{path}");
            assert!(!answer.body.contains("secret"), "{path}: {}", answer.body);
        }
        assert!(log.text().contains("a predicate panicked"), "{}", log.text());
        assert_eq!(ada.get("/before").await.body, "open", "what decides nothing is not asked");
        assert_eq!(server.visitor().get("/user").await.status, 401);
        assert_eq!(server.visitor().get("/not").await.status, 500);
    }
}
