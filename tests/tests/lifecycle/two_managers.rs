//! Two managers in one application whose cookie has one name: a mistake, which must not end in two cookies.

use sessionkit::{SessionData, SessionManager, SessionScope};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Answer, Bench, Log};

struct Office;

impl SessionScope for Office {
    const NAME: &'static str = "Office";
    type Home = sessionkit::OnServer;
}

#[derive(SessionData)]
struct Cart {
    items: Vec<u32>,
}

#[derive(SessionData)]
#[session(scope = Office)]
struct Desk {
    orders: u32,
}

/// The request was refused with what to do, and neither session was begun.
fn assert_refused(bench: &Bench, answer: &Answer, named: &[&str]) {
    assert_eq!((answer.status, answer.cookies().len()), (500, 0), "{answer:?}");
    assert_eq!((bench.store.take().total(), bench.sessions()), (0, 0));
    let log = Log::collect().text();
    for part in named.iter().chain(&["`__Host-session`", "cookie_name", "clones"]) {
        assert!(log.lines().any(|line| line.contains("failed") && line.contains(part)), "{part}: {log}");
    }
    assert!(!log.contains("unguarded"), "{log}");
}

behaviour! {
    tests: [
        two_managers_of_one_cookie_are_an_error_that_names_both,
        a_clone_of_a_manager_is_the_same_one_and_one_built_alike_is_not,
        two_scopes_of_one_cookie_are_an_error_that_names_both,
        a_request_that_passes_one_of_them_alone_is_served,
        a_layer_may_be_added_twice,
        a_layer_may_be_added_again_inside_of_another_one,
        a_refused_request_is_no_route_that_nobody_guards,
    ];

    async fn add(mut cart: Session<Cart>) -> Reply {
        cart.items.push(7);
        Reply::ok(cart.items.len())
    }

    async fn open_order(mut desk: Session<Desk>) -> Reply {
        desk.orders += 1;
        Reply::ok(desk.orders)
    }

    async fn free() -> Reply {
        Reply::ok("free")
    }

    async fn two_managers_of_one_cookie_are_an_error_that_names_both(bench: Bench) {
        Log::collect();
        let server = serve_scopes(&bench, bench.manager(), routes!["/add" => add, "/free" => free]).await;
        let visitor = server.visitor();
        for path in ["/add", "/free"] {
            assert_refused(&bench, &visitor.get(path).await, &["one of the scope `Main` and inside of it one of the scope `Main`"]);
        }
    }

    async fn a_clone_of_a_manager_is_the_same_one_and_one_built_alike_is_not(bench: Bench) {
        Log::collect();
        let manager = bench.manager();
        let server = serve_stacked(&bench, [manager.clone(), manager, bench.manager()], routes!["/add" => add]).await;
        assert_refused(&bench, &server.visitor().get("/add").await, &["`Main`"]);
    }

    async fn two_scopes_of_one_cookie_are_an_error_that_names_both(bench: Bench) {
        Log::collect();
        let routes = routes!["/add" => add, "/open" => open_order];
        let server = serve_scopes(&bench, bench.manager_of::<Office>(), routes).await;
        let visitor = server.visitor();
        for path in ["/add", "/open"] {
            let both = "one of the scope `Office` and inside of it one of the scope `Main`";
            assert_refused(&bench, &visitor.get(path).await, &[both]);
        }
    }

    async fn a_request_that_passes_one_of_them_alone_is_served(bench: Bench) {
        let server = serve_nested(&bench, routes!["/add" => add], "/inner", bench.manager()).await;
        let visitor = server.visitor();
        assert_eq!(visitor.get("/add").await.body, "1");
        let refused = visitor.get("/inner/add").await;
        assert_eq!((refused.status, refused.cookies().len()), (500, 0), "{refused:?}");
        assert_eq!((visitor.get("/add").await.body.as_str(), bench.sessions()), ("2", 1));
    }

    async fn a_layer_may_be_added_twice(bench: Bench) {
        let manager = bench.manager();
        let server = serve_stacked(&bench, [manager.clone(), manager.clone(), manager], routes!["/add" => add]).await;
        let visitor = server.visitor();
        let answer = visitor.get("/add").await;
        assert_eq!((answer.body.as_str(), answer.cookies().len()), ("1", 1));
        assert_eq!((visitor.get("/add").await.body.as_str(), bench.sessions()), ("2", 1));
    }

    /// The innermost layer is the one that counts, whatever is around it.
    async fn a_layer_may_be_added_again_inside_of_another_one(bench: Bench) {
        let manager: SessionManager = bench.manager();
        let other = bench.clone().with_config(|config| config.cookie_name("__Host-other")).manager();
        let server = serve_stacked(&bench, [manager.clone(), other, manager], routes!["/add" => add]).await;
        let visitor = server.visitor();
        let answer = visitor.get("/add").await;
        let [cookie] = answer.cookies()[..] else { panic!("not one cookie: {answer:?}") };
        assert!(cookie.starts_with("__Host-session="), "{cookie}");
        assert_eq!((visitor.get("/add").await.body.as_str(), bench.sessions()), ("2", 1));
    }

    async fn a_refused_request_is_no_route_that_nobody_guards(bench: Bench) {
        Log::collect();
        let server = serve_withholding_beside(&bench, bench.manager_of::<Office>(), routes!["/free" => free]).await;
        assert_refused(&bench, &server.visitor().get("/free").await, &["`Main`", "`Office`"]);
    }
}
