//! Tests of `save_uninitialized`: a visitor has a session, or none, before there is anything to keep.

use std::time::Duration;

use sessionkit::{OnBadCookie, SessionConfigBuilder, SessionData};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, COOKIE, HeldStore, Server};

#[derive(SessionData)]
struct Cart {
    items: Vec<u32>,
}

fn on(config: SessionConfigBuilder) -> SessionConfigBuilder {
    config.save_uninitialized(true)
}

behaviour! {
    tests: [
        row_06_off_there_is_no_record_and_no_cookie_before_there_is_data,
        row_06_on_a_session_begins_at_the_first_visit,
        row_06_on_a_failed_visit_begins_none,
        row_06_on_a_login_and_a_logout_are_what_they_were,
        row_06_on_a_presented_cookie_is_looked_up_by_who_asks_alone,
        row_06_on_a_store_failure_is_not_noticed_by_routes_that_do_not_ask,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn free() -> Reply {
        Reply::ok("free")
    }

    async fn view(cart: MaybeSession<Cart>) -> Reply {
        Reply::ok(cart.0.is_some())
    }

    async fn add(mut cart: Session<Cart>) -> Reply {
        cart.items.push(7);
        Reply::ok(cart.items.len())
    }

    async fn fail() -> Reply {
        Reply::status(500, "failed")
    }

    async fn late() -> Reply {
        Reply::status(408, "too late")
    }

    #[session(require_login)]
    async fn guarded() -> Reply {
        Reply::ok("guarded")
    }

    async fn login(auth: Auth) -> Answered {
        auth.login("ada").await?;
        Ok(Reply::ok("ada"))
    }

    async fn logout(auth: Auth) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok("bye"))
    }

    async fn start(bench: &Bench) -> Server {
        let routes = routes![
            "/free" => free, "/view" => view, "/add" => add, "/fail" => fail, "/late" => late, "/guarded" => guarded,
            "/login" => login, "/logout" => logout,
        ];
        serve(bench, routes).await
    }

    async fn row_06_off_there_is_no_record_and_no_cookie_before_there_is_data(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        for path in ["/free", "/view", "/guarded", "/logout"] {
            assert_eq!(visitor.get(path).await.cookies().len(), 0, "{path}");
        }
        assert_eq!((bench.sessions(), bench.store.take().total()), (0, 0));
        assert_eq!(visitor.get("/add").await.cookies().len(), 1);
        assert_eq!(bench.sessions(), 1);
    }

    async fn row_06_on_a_session_begins_at_the_first_visit(bench: Bench) {
        let bench = bench.with_config(on);
        let server = start(&bench).await;
        for path in ["/free", "/view", "/guarded", "/add"] {
            let visitor = server.visitor();
            let answer = visitor.get(path).await;
            assert_eq!((answer.cookies().len(), answer.all("vary"), answer.all("cache-control")), (1, vec!["Cookie"], vec!["no-store"]), "{path}");
            let calls = bench.store.take();
            assert_eq!((calls.insert, calls.total()), (1, 1), "{path}");
            assert_eq!(visitor.get("/free").await.cookies().len(), 0);
            assert_eq!(bench.store.take().total(), 0, "a route that does not ask costs nothing after {path}");
            assert_eq!(visitor.get("/view").await.body, "true", "{path}");
            bench.store.take();
        }
        let visitor = server.visitor();
        assert_eq!(visitor.get("/free").await.cookies().len(), 1);
        assert_eq!((visitor.get("/add").await.body, visitor.get("/add").await.body), ("1".to_owned(), "2".to_owned()));
        // It ends as every anonymous session does, and the next visit begins another.
        bench.clock.advance(Duration::from_secs(43_200));
        let answer = visitor.get("/view").await;
        assert_eq!((answer.body.as_str(), answer.cookies().len()), ("false", 1));
        assert_eq!(visitor.get("/view").await.body, "true");
    }

    async fn row_06_on_a_failed_visit_begins_none(bench: Bench) {
        let bench = bench.with_config(on);
        let server = start(&bench).await;
        for path in ["/fail", "/late"] {
            assert_eq!(server.visitor().get(path).await.cookies().len(), 0, "{path}");
        }
        assert_eq!(bench.store.take().total(), 0);
    }

    async fn row_06_on_a_login_and_a_logout_are_what_they_were(bench: Bench) {
        let bench = bench.with_config(on);
        let server = start(&bench).await;
        let visitor = server.visitor();
        assert_eq!(visitor.get("/login").await.cookies().len(), 1);
        assert_eq!(bench.store.take().total(), 1);
        assert_eq!(visitor.get("/logout").await.cookies().len(), 1);
        assert_eq!((visitor.token(), bench.sessions()), (None, 0));
    }

    async fn row_06_on_a_presented_cookie_is_looked_up_by_who_asks_alone(bench: Bench) {
        let lenient = bench.clone().with_config(on);
        let strict = bench.clone().with_config(|config| on(config).on_bad_cookie(OnBadCookie::Reject));
        for (bench, begun) in [(lenient, 1), (strict, 0)] {
            let server = start(&bench).await;
            for value in ["deleted".to_owned(), "a".repeat(64)] {
                let line = format!("{COOKIE}={value}");
                let visitor = server.visitor();
                assert_eq!(visitor.get_with_cookies("/free", &[line.as_bytes()]).await.cookies().len(), 0, "{value}");
                assert_eq!(bench.store.take().total(), 0, "{value}");
                assert_eq!(visitor.get_with_cookies("/view", &[line.as_bytes()]).await.cookies().len(), begun, "{value}");
                bench.store.take();
            }
        }
    }

    async fn row_06_on_a_store_failure_is_not_noticed_by_routes_that_do_not_ask(bench: Bench) {
        let bench = bench.with_config(|config| on(config).commit_deadline(Duration::from_millis(50)));
        let store = HeldStore::new(bench.store.clone(), &bench.gates);
        store.hold("before insert");
        let server = serve_with(&bench, bench.manager_over(store), routes!["/free" => free, "/add" => add]).await;
        let answer = server.visitor().get("/free").await;
        assert_eq!((answer.status, answer.body.as_str(), answer.cookies().len()), (200, "free", 0));
        assert_eq!(server.visitor().get("/add").await.status, 503);
    }
}
