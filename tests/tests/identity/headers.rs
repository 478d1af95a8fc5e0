//! Tests of the headers that shared caches go by.

use std::time::Duration;

use sessionkit::SessionData;
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, Server};

#[derive(SessionData)]
struct Cart {
    items: Vec<u32>,
}

/// A struct of the same namespace, which cannot be used beside the other.
#[derive(SessionData)]
#[session(name = "cart")]
struct OtherCart {
    items: Vec<u32>,
}

const PUBLIC: &str = "public, max-age=600";

behaviour! {
    tests: [
        an_answer_varies_by_cookie_whenever_the_session_was_consulted,
        an_answer_that_sets_our_cookie_is_not_stored,
        a_denial_is_not_stored,
        a_logout_removes_what_the_browser_keeps_if_the_application_wants_that,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn free() -> Reply {
        Reply::ok("free").header("cache-control", PUBLIC)
    }

    async fn count(cart: SessionView<Cart>) -> Reply {
        Reply::ok(cart.items.len()).header("cache-control", PUBLIC).header("vary", "Accept-Language")
    }

    async fn other(cart: SessionView<OtherCart>) -> Reply {
        Reply::ok(cart.items.len())
    }

    async fn missing(_: MaybeSession<Cart>) -> Reply {
        Reply::status(404, "not found")
    }

    async fn fail(mut cart: Session<Cart>) -> Reply {
        cart.items.push(7);
        Reply::status(500, "broken")
    }

    async fn untouched(_: Auth) -> Reply {
        Reply::ok("nobody asked").header("cache-control", PUBLIC)
    }

    async fn add(mut cart: Session<Cart>) -> Reply {
        cart.items.push(7);
        Reply::ok(cart.items.len()).header("cache-control", PUBLIC).header("cache-control", "immutable")
    }

    async fn login(auth: Auth) -> Answered {
        auth.login("ada").await?;
        Ok(Reply::ok("ada").header("cache-control", PUBLIC))
    }

    async fn logout(auth: Auth) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok("bye").header("cache-control", PUBLIC))
    }

    #[session(require_login)]
    async fn secret() -> Reply {
        Reply::ok("secret").header("cache-control", PUBLIC)
    }

    #[session(require = |cart: &Cart| cart.items.len() > 100)]
    async fn wholesale() -> Reply {
        Reply::ok("cheap")
    }

    async fn start(bench: &Bench) -> Server {
        let routes = routes![
            "/free" => free,
            "/count" => count,
            "/other" => other,
            "/missing" => missing,
            "/fail" => fail,
            "/untouched" => untouched,
            "/add" => add,
            "/login" => login,
            "/logout" => logout,
            "/secret" => secret,
            "/wholesale" => wholesale,
        ];
        serve(bench, routes).await
    }

    async fn an_answer_varies_by_cookie_whenever_the_session_was_consulted(bench: Bench) {
        let server = start(&bench).await;
        let known = server.visitor();
        known.get("/add").await;
        for visitor in [server.visitor(), known] {
            assert!(visitor.get("/free").await.all("vary").is_empty());
            for path in ["/missing", "/fail", "/other", "/secret", "/wholesale", "/add", "/login", "/logout"] {
                assert_eq!(visitor.get(path).await.all("vary"), ["Cookie"], "{path}");
            }
            // What the handler says stays beside it.
            assert_eq!(visitor.get("/count").await.all("vary"), ["Accept-Language", "Cookie"]);
        }
    }

    async fn an_answer_that_sets_our_cookie_is_not_stored(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        assert_eq!(visitor.get("/count").await.all("cache-control"), [PUBLIC]);
        assert_eq!(visitor.get("/free").await.all("cache-control"), [PUBLIC]);
        for path in ["/add", "/login", "/logout", "/login"] {
            let answer = visitor.get(path).await;
            assert_eq!((answer.cookies().len(), answer.all("cache-control")), (1, vec!["no-store"]), "{path}");
        }
        assert_eq!(visitor.get("/count").await.all("cache-control"), [PUBLIC]);
        // A touch sets the cookie again.
        bench.clock.advance(Duration::from_secs(60));
        let answer = visitor.get("/count").await;
        assert_eq!((answer.cookies().len(), answer.all("cache-control")), (1, vec!["no-store"]));
    }

    async fn a_denial_is_not_stored(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        let page: &[(&str, &[u8])] = &[("accept", b"text/html")];
        for (headers, status) in [(&[][..], 401), (page, 303)] {
            let answer = visitor.send(reqwest::Method::GET, "/secret", headers, "").await;
            assert_eq!((answer.status, answer.all("cache-control")), (status, vec!["no-store"]));
        }
        visitor.get("/login").await;
        let answer = visitor.get("/wholesale").await;
        assert_eq!((answer.status, answer.all("cache-control")), (403, vec!["no-store"]));
        assert_eq!(visitor.get("/secret").await.all("cache-control"), [PUBLIC]);
    }

    async fn a_logout_removes_what_the_browser_keeps_if_the_application_wants_that(bench: Bench) {
        let clearing = bench.clone().with_config(|config| config.clear_site_data("cache, storage"));
        for (bench, expected) in [(&clearing, &["\"cache\", \"storage\""][..]), (&bench, &[])] {
            let server = serve(bench, routes!["/login" => login, "/logout" => logout, "/count" => count]).await;
            let visitor = server.visitor();
            for path in ["/login", "/count"] {
                assert!(visitor.get(path).await.all("clear-site-data").is_empty(), "{path}");
            }
            assert_eq!(visitor.get("/logout").await.all("clear-site-data"), expected);
            assert!(visitor.get("/logout").await.all("clear-site-data").is_empty(), "there was nothing to end");
        }
    }
}
