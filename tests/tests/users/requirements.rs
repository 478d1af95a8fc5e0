//! Tests of conditions on more than structs and users: on the session itself, and on values of the application.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sessionkit::testing::TestSession;
use sessionkit::{GuardedRequest, Requirement, Rules, SessionData, SessionInfo};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::Bench;

use crate::accounts::{Account, Accounts};

#[derive(SessionData)]
struct Cart {
    paid: bool,
}

/// The state of the shop, `true` if it is open, which a test changes while the application runs.
#[derive(Clone)]
struct Shop(Arc<AtomicBool>);

struct WhileOpen;

impl Requirement for WhileOpen {
    type Error = &'static str;

    async fn is_met(request: &GuardedRequest<'_>) -> Result<bool, Self::Error> {
        let shop = request.extension::<Shop>().ok_or("the manager has no shop")?;
        Ok(shop.0.load(Ordering::SeqCst))
    }
}

/// Looks at all that a requirement is given.
struct PaidOnALaptop;

impl Requirement for PaidOnALaptop {
    type Error = String;

    async fn is_met(request: &GuardedRequest<'_>) -> Result<bool, Self::Error> {
        let paid = request.view::<Cart>().map_err(|error| error.to_string())?.paid;
        let device = request.info().and_then(|info| info.device_label);
        Ok(paid && request.user_id().as_deref() == Some("ada") && device.as_deref() == Some("laptop"))
    }
}

fn with_two_factors(info: &SessionInfo) -> bool {
    info.methods().iter().any(|method| method == "otp")
}

behaviour! {
    tests: [
        a_requirement_reads_a_value_of_the_application,
        a_requirement_sees_the_session_and_whose_it_is,
        a_predicate_looks_at_the_session_itself,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn page() -> Reply {
        Reply::ok("page")
    }

    #[session(requirement = WhileOpen)]
    async fn counter() -> Reply {
        Reply::ok("counter")
    }

    #[session(any(requirement = PaidOnALaptop, requirement = WhileOpen))]
    async fn laptop() -> Reply {
        Reply::ok("laptop")
    }

    #[session(require = with_two_factors)]
    async fn vault() -> Reply {
        Reply::ok("vault")
    }

    #[session(not(require = with_two_factors))]
    async fn lobby() -> Reply {
        Reply::ok("lobby")
    }

    #[session(require = |account: &Account, info: &SessionInfo| account.is_admin && with_two_factors(info))]
    async fn admin() -> Reply {
        Reply::ok("admin")
    }

    async fn login(auth: Auth, user: String) -> Answered {
        auth.login(&user).device_label("laptop").methods(["pwd"]).await?;
        Ok(Reply::ok("welcome"))
    }

    async fn elevate(auth: Auth) -> Answered {
        auth.elevate("otp").await?;
        Ok(Reply::ok("up"))
    }

    async fn pay(mut cart: Session<Cart>) -> Reply {
        cart.paid = true;
        Reply::ok("paid")
    }

    async fn a_requirement_reads_a_value_of_the_application(bench: Bench) {
        let shop = Shop(Arc::new(AtomicBool::new(false)));
        let rules = Rules::new().requirement::<WhileOpen>();
        let routes = || routes!["/counter" => counter, "/page" => page];
        let manager = bench.builder().extension(7_u32).extension(shop.clone()).build();
        let server = serve_fenced(&bench, manager.clone(), rules.clone(), routes()).await;
        let ada = server.visitor_with(&TestSession::new(&manager).login("ada").await);
        for (is_open, status) in [(false, 403), (true, 200), (false, 403)] {
            shop.0.store(is_open, Ordering::SeqCst);
            for path in ["/counter", "/fenced/page", "/fenced/counter"] {
                assert_eq!(ada.get(path).await.status, status, "{path}");
            }
        }
        // Without the value nobody passes, and nobody is told why.
        let server = serve_fenced(&bench, bench.manager(), rules, routes()).await;
        for path in ["/counter", "/fenced/page"] {
            let answer = ada.at(&server).get(path).await;
            assert!(answer.status == 500 && !answer.body.contains("shop"), "{path}: {answer:?}");
        }
    }

    async fn a_requirement_sees_the_session_and_whose_it_is(bench: Bench) {
        let manager = bench.builder().extension(Shop(Arc::new(AtomicBool::new(false)))).build();
        let routes = routes!["/laptop" => laptop, "/login" => login, "/pay" => pay];
        let server = serve_with(&bench, manager, routes).await;
        for (user, pays, status) in [("ada", true, 200), ("ada", false, 403), ("bob", true, 403)] {
            let visitor = server.visitor();
            visitor.post("/login", user).await;
            if pays {
                visitor.get("/pay").await;
            }
            assert_eq!(visitor.get("/laptop").await.status, status, "{user} {pays}");
        }
        let stranger = server.visitor();
        stranger.get("/pay").await;
        assert_eq!(stranger.get("/laptop").await.status, 401);
    }

    async fn a_predicate_looks_at_the_session_itself(bench: Bench) {
        let manager = bench.builder().user_loader(Accounts::new(&bench.gates)).build();
        let routes = routes![
            "/vault" => vault, "/lobby" => lobby, "/admin" => admin, "/page" => page, "/login" => login,
            "/elevate" => elevate,
        ];
        let server = serve_fenced(&bench, manager, Rules::new().require(with_two_factors), routes).await;
        let statuses = async |user: &str, elevated: bool| {
            let visitor = server.visitor();
            if !user.is_empty() {
                visitor.post("/login", user).await;
            }
            if elevated {
                visitor.get("/elevate").await;
            }
            let mut statuses = Vec::new();
            for path in ["/vault", "/lobby", "/admin", "/fenced/page"] {
                statuses.push(visitor.get(path).await.status);
            }
            statuses
        };
        assert_eq!(statuses("", false).await, [401, 401, 401, 401], "where there is no session, there is nothing to see");
        assert_eq!(statuses("ada", false).await, [403, 200, 403, 403]);
        assert_eq!(statuses("ada", true).await, [200, 403, 200, 200]);
        assert_eq!(statuses("bob", true).await, [200, 403, 403, 200]);
    }
}
