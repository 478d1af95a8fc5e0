//! The conditions of a whole router or scope, and what becomes of routes without any.

use std::time::Duration;

use sessionkit::testing::{TestSession, UnguardedRoutes};
use sessionkit::{GuardedRequest, Rejection, Requirement, Rules, SessionConfig, SessionData, SessionScope};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, Log};

use crate::accounts::{Account, Accounts};

#[derive(SessionData)]
struct Cart {
    items: Vec<u32>,
}

/// The back office's session.
struct Office;

impl SessionScope for Office {
    const NAME: &'static str = "Office";
    type Home = sessionkit::OnServer;
}

struct FromTheOffice;

impl Requirement for FromTheOffice {
    type Error = String;

    async fn is_met(request: &GuardedRequest<'_>) -> Result<bool, String> {
        let is_admin = request.user::<Account>().await.map_err(|error| error.to_string())?;
        Ok(is_admin.is_some_and(|account| account.is_admin) && request.head().path().ends_with("/page"))
    }
}

fn is_admin(account: &Account) -> bool {
    account.is_admin
}

fn has_items(cart: &Cart) -> bool {
    !cart.items.is_empty()
}

behaviour! {
    tests: [
        row_23_rules_decide_for_every_route_under_them,
        rules_are_not_met_without_conditions_or_layer,
        row_23_rules_say_where_the_login_page_is_and_what_the_refused_see,
        row_23_a_route_that_nobody_guards_is_denied_by_default,
        a_guard_of_another_scope_is_a_guard,
        routes_that_nobody_guards_are_named,
    ];

    async fn page() -> Reply {
        Reply::ok("page")
    }

    async fn add(mut cart: Session<Cart>) -> Reply {
        cart.items.push(1);
        Reply::ok(cart.items.len())
    }

    async fn failing(mut cart: Session<Cart>) -> Reply {
        cart.items.push(1);
        Reply::status(404, "no such thing")
    }

    #[session(require_login)]
    async fn guarded() -> Reply {
        Reply::ok("guarded")
    }

    #[session(require_login, scope = Office)]
    async fn office() -> Reply {
        Reply::ok("office")
    }

    async fn row_23_rules_decide_for_every_route_under_them(bench: Bench) {
        let accounts = Accounts::new(&bench.gates);
        let manager = bench.builder().user_loader(accounts.clone()).build();
        let soon = Duration::from_secs(30);
        let fill = |cart: &mut Cart| cart.items.push(1);
        let nobody = TestSession::new(&manager).await;
        let anonymous = TestSession::new(&manager).with(fill).await;
        let bob = TestSession::new(&manager).login("bob").await;
        bench.clock.advance(soon);
        let ada = TestSession::new(&manager).login("ada").with(fill).await;
        for (rules, statuses) in [
            (Rules::new().require_login(), [401, 401, 200, 200]),
            (Rules::new().guest_only(), [200, 200, 303, 303]),
            (Rules::new().require_fresh(soon), [401, 401, 401, 200]),
            (Rules::new().require(has_items), [401, 200, 403, 200]),
            (Rules::new().require(is_admin), [401, 401, 403, 200]),
            (Rules::new().requirement::<FromTheOffice>(), [401, 401, 403, 200]),
            (Rules::new().require_login().require(has_items), [401, 401, 403, 200]),
            (Rules::new().any(|any| any.require_login().require(has_items)), [401, 200, 200, 200]),
            (Rules::new().any(|any| any.require(has_items).all(|all| all.require_login())), [401, 200, 200, 200]),
            (Rules::new().not(|not| not.require(has_items)), [200, 401, 200, 403]),
            (Rules::new().require(|account: &Account, cart: &Cart| account.is_admin && has_items(cart)), [401, 401, 403, 200]),
            (Rules::public(), [200, 200, 200, 200]),
            (Rules::public().require_login(), [401, 401, 200, 200]),
        ] {
            let server = serve_fenced(&bench, manager.clone(), rules.clone(), routes!["/page" => page]).await;
            for (visitor, status) in [&nobody, &anonymous, &bob, &ada].into_iter().zip(statuses) {
                let answer = server.visitor_with(visitor).get("/fenced/page").await;
                // Guests are sent home where a person opens a page, and refused otherwise.
                let status = if status == 303 { 403 } else { status };
                assert_eq!(answer.status, status, "{rules:?} {visitor:?}: {answer:?}");
                let no_store = if status == 200 { 0 } else { 1 };
                assert_eq!(answer.all("cache-control").len(), no_store, "{rules:?}");
                assert_eq!(server.visitor_with(visitor).get("/page").await.body, "page", "it stands beside the fence");
            }
        }
    }

    async fn rules_are_not_met_without_conditions_or_layer(bench: Bench) {
        let manager = bench.manager();
        let ada = TestSession::new(&manager).login("ada").await;
        let log = Log::collect();
        for rules in [Rules::new(), Rules::new().any(|any| any), Rules::new().not(|not| not)] {
            let server = serve_fenced(&bench, manager.clone(), rules, routes!["/page" => page]).await;
            for visitor in [server.visitor_with(&ada), server.visitor()] {
                assert_eq!(visitor.get("/fenced/page").await.status, 500);
            }
        }
        assert_eq!(log.text().matches("Rules::public()").count(), 6, "{}", log.text());
        let rules = Rules::<Office>::for_scope().require_login();
        let server = serve_fenced(&bench, manager.clone(), rules, routes!["/page" => page]).await;
        let answer = server.visitor_with(&ada).get("/fenced/page").await;
        assert!(answer.status == 500 && answer.body.contains("Office"), "{answer:?}");
    }

    async fn row_23_rules_say_where_the_login_page_is_and_what_the_refused_see(bench: Bench) {
        let manager = bench.manager();
        let ada = TestSession::new(&manager).login("ada").await;
        let rules = Rules::new().require_login().require(has_items);
        for (rules, location) in [
            (rules.clone().login_path("/office/login"), "/office/login?next=/fenced/page"),
            (rules.clone().login_url(|head| format!("/login/{}", head.method())), "/login/GET?next=/fenced/page"),
        ] {
            let server = serve_fenced(&bench, manager.clone(), rules, routes!["/page" => page]).await;
            let navigation = [("sec-fetch-mode", &b"navigate"[..])];
            let answer = server.visitor().send(reqwest::Method::GET, "/fenced/page", &navigation, "").await;
            assert_eq!((answer.status, answer.all("location")), (303, vec![location]));
        }
        let rules = rules.on_denied(|denial| Rejection::html(403, format!("{:?}", denial.reason)));
        let server = serve_fenced(&bench, manager, rules, routes!["/page" => page]).await;
        let answer = server.visitor_with(&ada).get("/fenced/page").await;
        assert_eq!((answer.status, &*answer.body), (403, "NotAllowed"));
    }

    async fn row_23_a_route_that_nobody_guards_is_denied_by_default(bench: Bench) {
        for (dev, status) in [(false, 403), (true, 500)] {
            let bench = bench.clone().with_config(|config| match dev {
                true => config.dev().cookie_name("plain"),
                false => config.cookie_name("plain").allow_weak_cookie(true),
            });
            let manager = bench.manager();
            let ada = TestSession::new(&manager).login("ada").with(|cart: &mut Cart| cart.items.push(7)).await;
            let routes = routes!["/page" => page, "/add" => add, "/guarded" => guarded, "/missing" => failing];
            let server = serve_withholding(&bench, manager.clone(), Rules::public(), routes).await;
            let get = async |path: &'static str| {
                let cookie = ada.cookie();
                server.visitor().send(reqwest::Method::GET, path, &[("cookie", cookie.as_bytes())], "").await
            };
            for path in ["/page", "/add"] {
                let answer = get(path).await;
                assert_eq!((answer.status, answer.cookies().len()), (status, 0), "{path}: {answer:?}");
                assert_eq!(answer.all("cache-control"), ["no-store"], "{path}");
                assert_eq!(answer.body.contains("#[session(public)]"), dev, "{path}: {answer:?}");
                assert_eq!(answer.body.contains(&format!("GET {path}")), dev, "{path}: {answer:?}");
            }
            assert_eq!(ada.view::<Cart>().await.items, [7], "what the handler changed is discarded");
            assert_eq!((get("/guarded").await.status, server.visitor().get("/guarded").await.status), (200, 401));
            assert_eq!(get("/nowhere").await.status, 404);
            assert_eq!(get("/missing").await.status, 404, "what the route found is not there");
            for path in ["/fenced/page", "/fenced/add"] {
                assert_eq!(get(path).await.status, 200, "{path}: it was said to be public");
            }
            assert_eq!(ada.view::<Cart>().await.items, [7, 1, 1]);
        }
    }

    async fn a_guard_of_another_scope_is_a_guard(bench: Bench) {
        let config = SessionConfig::builder().cookie_name("__Host-office").build().unwrap();
        let manager = bench.builder().config(config).for_scope::<Office>().build();
        let clerk = TestSession::new(&manager).login("clerk").await;
        let routes = routes!["/office" => office, "/page" => page];
        let server = serve_withholding_beside(&bench, manager, routes).await;
        let get = async |path: &'static str| {
            let cookie = clerk.cookie();
            server.visitor().send(reqwest::Method::GET, path, &[("cookie", cookie.as_bytes())], "").await.status
        };
        assert_eq!((get("/office").await, get("/page").await), (200, 403));
    }

    async fn routes_that_nobody_guards_are_named(bench: Bench) {
        let unguarded = UnguardedRoutes::default();
        let manager = bench.builder().event_sink(unguarded.clone()).build();
        let routes = routes!["/page" => page, "/guarded" => guarded];
        let server = serve_withholding(&bench, manager, Rules::new().require_login(), routes).await;
        let visitor = server.visitor();
        let paths = [("GET", "/page"), ("GET", "/guarded"), ("GET", "/fenced/page"), ("POST", "/page")];
        let found = unguarded.among(paths, async |method, path| {
            let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
            visitor.send(method, path, &[], "").await.status
        });
        assert_eq!(found.await, ["GET /page", "POST /page"]);
    }
}
