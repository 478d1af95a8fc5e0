//! Several sessions in one application: a shop's, and its back office's.

use sessionkit::{SessionData, SessionScope};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, Server, Visitor};

struct Office;

impl SessionScope for Office {
    const NAME: &'static str = "Office";
    type Home = sessionkit::OnServer;
}

#[derive(SessionData)]
struct Cart {
    items: Vec<u32>,
}

/// Another scope may use the same namespace.
#[derive(SessionData)]
#[session(name = "cart", scope = Office)]
struct Orders {
    open: u32,
}

behaviour! {
    tests: [
        row_17_two_named_sessions_have_a_struct_and_a_cookie_each,
        row_17_each_session_may_be_absent,
        two_managers_of_one_scope_have_a_session_each,
        a_guard_inside_of_nested_routes_returns_to_the_whole_path,
        ending_one_session_leaves_the_other,
        a_guard_asks_its_own_scope,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn add(mut cart: Session<Cart>) -> Reply {
        cart.items.push(7);
        Reply::ok(cart.items.len())
    }

    async fn open_order(mut orders: Session<Orders>) -> Reply {
        orders.open += 1;
        Reply::ok(orders.open)
    }

    async fn both(mut cart: Session<Cart>, mut orders: Session<Orders>) -> Reply {
        cart.items.push(7);
        orders.open += 1;
        Reply::ok("both")
    }

    async fn present(cart: MaybeSession<Cart>, orders: MaybeSession<Orders>) -> Reply {
        let items = cart.0.map(|cart| cart.items.len());
        let open = orders.0.map(|mut orders| {
            orders.open += 1;
            orders.open
        });
        Reply::ok(format!("{items:?} {open:?}"))
    }

    async fn login_shop(auth: Auth) -> Answered {
        auth.login("ada").await?;
        Ok(Reply::ok("ada"))
    }

    async fn login_office(auth: Auth<Office>) -> Answered {
        auth.login("clerk").await?;
        Ok(Reply::ok("clerk"))
    }

    async fn logout_shop(auth: Auth) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok("bye"))
    }

    async fn state(
        cart: SessionView<Cart>,
        orders: SessionView<Orders>,
        shop: Auth,
        office: Auth<Office>,
    ) -> Answered {
        let (customer, clerk) = (shop.user_id().await?, office.user_id().await?);
        let name = |user: &Option<std::sync::Arc<str>>| user.as_deref().unwrap_or("nobody").to_owned();
        Ok(Reply::ok(format!("{} {} {} {}", name(&customer), cart.items.len(), name(&clerk), orders.open)))
    }

    #[session(require_login)]
    async fn account() -> Reply {
        Reply::ok("account")
    }

    #[session(scope = Office, require_login)]
    async fn desk() -> Reply {
        Reply::ok("desk")
    }

    #[session(scope = Office, require = |orders: &Orders| orders.open > 0)]
    async fn ship() -> Reply {
        Reply::ok("shipped")
    }

    async fn start(bench: &Bench) -> Server {
        let office = bench.clone().with_config(|config| config.cookie_name("__Host-office"));
        let routes = routes![
            "/add" => add,
            "/open" => open_order,
            "/both" => both,
            "/login/shop" => login_shop,
            "/login/office" => login_office,
            "/logout/shop" => logout_shop,
            "/state" => state,
            "/present" => present,
            "/account" => account,
            "/desk" => desk,
            "/ship" => ship,
        ];
        serve_scopes(bench, office.manager_of::<Office>(), routes).await
    }

    async fn row_17_two_named_sessions_have_a_struct_and_a_cookie_each(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        let set = visitor.get("/add").await;
        assert!(set.cookies()[0].starts_with("__Host-session=") && set.cookies().len() == 1);
        let set = visitor.get("/open").await;
        assert!(set.cookies()[0].starts_with("__Host-office=") && set.cookies().len() == 1);
        assert_eq!(visitor.get("/state").await.body, "nobody 1 nobody 1");
        assert_eq!(bench.sessions(), 2);
        // One cookie per scope, in one answer.
        let visitor = server.visitor();
        let set = visitor.get("/both").await;
        let mut names: Vec<&str> = set.cookies().iter().filter_map(|cookie| cookie.split('=').next()).collect();
        names.sort_unstable();
        assert_eq!(names, ["__Host-office", "__Host-session"]);
        assert_eq!(visitor.get("/state").await.body, "nobody 1 nobody 1");
        // The token of one scope is nothing to the other.
        let thief = server.visitor();
        let stolen = format!("__Host-office={}", visitor.token().expect("the shop's session"));
        assert_eq!(thief.get_with_cookies("/desk", &[stolen.as_bytes()]).await.status, 401);
    }

    async fn row_17_each_session_may_be_absent(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        assert_eq!(visitor.get("/present").await.body, "None None");
        assert_eq!((visitor.get("/present").await.cookies().len(), bench.sessions()), (0, 0));
        visitor.get("/open").await;
        assert_eq!(visitor.get("/present").await.body, "None Some(2)");
        visitor.get("/add").await;
        assert_eq!(visitor.get("/present").await.body, "Some(1) Some(3)");
    }

    /// The routes of the inner one see its session alone, and those beside it the outer one's.
    async fn two_managers_of_one_scope_have_a_session_each(bench: Bench) {
        let inner = bench.clone().with_config(|config| config.cookie_name("__Host-inner")).manager();
        let routes = routes!["/add" => add, "/login" => login_shop, "/account" => account];
        let server = serve_nested(&bench, routes, "/inner", inner).await;
        let visitor = server.visitor();
        let outer = visitor.get("/add").await;
        assert!(outer.cookies().len() == 1 && outer.cookies()[0].starts_with("__Host-session="));
        let inner = visitor.get("/inner/add").await;
        assert!(inner.cookies().len() == 1 && inner.cookies()[0].starts_with("__Host-inner="));
        assert_eq!(visitor.get("/inner/add").await.body, "2");
        assert_eq!(visitor.get("/add").await.body, "2");
        assert_eq!(bench.sessions(), 2);
        visitor.get("/inner/login").await;
        assert_eq!((visitor.get("/inner/account").await.status, visitor.get("/account").await.status), (200, 401));
    }

    async fn a_guard_inside_of_nested_routes_returns_to_the_whole_path(bench: Bench) {
        let server = serve(&bench, under("/a", under("/b", routes!["/account" => account]))).await;
        let page: &[(&str, &[u8])] = &[("sec-fetch-mode", b"navigate")];
        let denied = server.visitor().send(reqwest::Method::GET, "/a/b/account?tab=1", page, "").await;
        assert_eq!((denied.status, denied.all("location")), (303, vec!["/login?next=/a/b/account%3Ftab%3D1"]));
    }

    async fn ending_one_session_leaves_the_other(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/both").await;
        visitor.get("/login/shop").await;
        assert_eq!(visitor.get("/state").await.body, "ada 1 nobody 1");
        visitor.get("/login/office").await;
        assert_eq!(visitor.get("/state").await.body, "ada 1 clerk 1");
        visitor.get("/logout/shop").await;
        assert_eq!(visitor.get("/state").await.body, "nobody 0 clerk 1");
        assert_eq!(bench.sessions(), 1);
    }

    async fn a_guard_asks_its_own_scope(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        let statuses = async |visitor: &Visitor| {
            let mut statuses = Vec::new();
            for path in ["/account", "/desk", "/ship"] {
                statuses.push(visitor.get(path).await.status);
            }
            statuses
        };
        assert_eq!(statuses(&visitor).await, [401, 401, 401]);
        visitor.get("/login/shop").await;
        assert_eq!(statuses(&visitor).await, [200, 401, 401]);
        visitor.get("/login/office").await;
        assert_eq!(statuses(&visitor).await, [200, 200, 403]);
        visitor.get("/open").await;
        assert_eq!(statuses(&visitor).await, [200, 200, 200]);
        visitor.get("/logout/shop").await;
        assert_eq!(statuses(&visitor).await, [401, 200, 200]);
    }
}
