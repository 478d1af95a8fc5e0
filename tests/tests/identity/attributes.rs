//! The `Set-Cookie` header, to the letter: what sets the cookie must be able to remove it.

use std::time::Duration;

use sessionkit::{CookieMaxAge, SameSite, SessionConfig, SessionConfigBuilder, SessionData};
use sessionkit_tests::behaviour_everywhere;
use sessionkit_tests::harness::{Answer, Bench, Server};

#[derive(SessionData)]
struct Cart {
    items: Vec<u32>,
}

const GONE: &str = "Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT";

/// The only `Set-Cookie` of an answer, with the token replaced by `*`.
fn set_cookie(answer: &Answer) -> String {
    let [cookie] = answer.cookies()[..] else { panic!("not one Set-Cookie: {answer:?}") };
    let (pair, attributes) = cookie.split_once("; ").expect("a cookie has attributes");
    let (name, value) = pair.split_once('=').expect("a cookie has a value");
    let value = if value.is_empty() { "" } else { "*" };
    format!("{name}={value}; {attributes}")
}

behaviour_everywhere! {
    tests: [
        row_19_the_cookie_is_secure_http_only_and_same_site_by_default,
        a_host_cookie_is_set_and_removed_from_a_nested_path,
        row_04_every_attribute_of_the_cookie_is_a_setting,
        p8_at_most_one_cookie_is_set,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn add(mut cart: Session<Cart>) -> Reply {
        cart.items.push(7);
        Reply::ok(cart.items.len())
    }

    async fn login(auth: Auth) -> Answered {
        auth.login("ada").await?;
        Ok(Reply::ok("ada"))
    }

    async fn logout(auth: Auth) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok("bye"))
    }

    async fn me(auth: Auth) -> Answered {
        Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
    }

    async fn busy(mut cart: Session<Cart>, auth: Auth) -> Answered {
        cart.items.push(1);
        auth.login("ada").await?;
        auth.rotate().await?;
        auth.login("ada").lifetime(Duration::from_secs(300)).await?;
        cart.items.push(2);
        Ok(Reply::ok("busy").header("set-cookie", "theme=dark; Path=/"))
    }

    async fn there_and_back(mut cart: Session<Cart>, auth: Auth) -> Answered {
        cart.items.push(1);
        auth.login("ada").await?;
        auth.logout().await?;
        Ok(Reply::ok("nobody"))
    }

    async fn out_and_in(auth: Auth) -> Answered {
        auth.logout().await?;
        auth.login("bob").await?;
        Ok(Reply::ok("bob"))
    }

    async fn start(bench: &Bench) -> Server {
        let routes = routes![
            "/add" => add,
            "/login" => login,
            "/logout" => logout,
            "/me" => me,
            "/busy" => busy,
            "/there-and-back" => there_and_back,
            "/out-and-in" => out_and_in,
        ];
        serve(bench, routes).await
    }

    async fn row_19_the_cookie_is_secure_http_only_and_same_site_by_default(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        let attributes = "Path=/; SameSite=Lax; Secure; HttpOnly";
        let anonymous = visitor.get("/add").await;
        assert_eq!(set_cookie(&anonymous), format!("__Host-session=*; Max-Age=43200; {attributes}"));
        assert_eq!(visitor.token().expect("a cookie was set").len(), 64);
        let user = visitor.get("/login").await;
        assert_eq!(set_cookie(&user), format!("__Host-session=*; Max-Age=86400; {attributes}"));
        assert_eq!(visitor.get("/me").await.body, "ada");
        let removed = visitor.get("/logout").await;
        assert_eq!(set_cookie(&removed), format!("__Host-session=; {GONE}; {attributes}"));
        assert_eq!((visitor.token(), visitor.get("/me").await.body), (None, "nobody".to_owned()));
        // A cookie that opens nothing is removed by a logout too.
        visitor.set_token("stale");
        let removed = visitor.get("/logout").await;
        assert_eq!(set_cookie(&removed), format!("__Host-session=; {GONE}; {attributes}"));
    }

    async fn a_host_cookie_is_set_and_removed_from_a_nested_path(bench: Bench) {
        let inner = under("/b", routes!["/login" => login, "/c/logout" => logout, "/me" => me]);
        let server = serve(&bench, under("/a", inner)).await;
        let visitor = server.visitor();
        let attributes = "Path=/; SameSite=Lax; Secure; HttpOnly";
        let set = visitor.get("/a/b/login").await;
        assert_eq!(set_cookie(&set), format!("__Host-session=*; Max-Age=86400; {attributes}"));
        assert_eq!(visitor.get("/a/b/me").await.body, "ada");
        let removed = visitor.get("/a/b/c/logout").await;
        assert_eq!(set_cookie(&removed), format!("__Host-session=; {GONE}; {attributes}"));
        assert_eq!(bench.sessions(), 0);
    }

    async fn row_04_every_attribute_of_the_cookie_is_a_setting(bench: Bench) {
        type Set = fn(SessionConfigBuilder) -> SessionConfigBuilder;
        let cases: [(Set, &str, &str); 10] = [
            (|config| config.cookie_name("shop").allow_weak_cookie(true), "shop", "Path=/; SameSite=Lax; Secure; HttpOnly"),
            (|config| config.cookie_name("__Host-shop"), "__Host-shop", "Path=/; SameSite=Lax; Secure; HttpOnly"),
            (
                |config| config.cookie_name("__Secure-shop").cookie_path("/shop"),
                "__Secure-shop",
                "Path=/shop; SameSite=Lax; Secure; HttpOnly",
            ),
            (
                |config| config.cookie_name("__Secure-shop").cookie_domain("example.com"),
                "__Secure-shop",
                "Path=/; Domain=example.com; SameSite=Lax; Secure; HttpOnly",
            ),
            (
                |config| config.cookie_name("shop").cookie_secure(false).allow_weak_cookie(true),
                "shop",
                "Path=/; SameSite=Lax; HttpOnly",
            ),
            (|config| config.cookie_http_only(false), "__Host-session", "Path=/; SameSite=Lax; Secure"),
            (
                |config| config.cookie_same_site(SameSite::Strict),
                "__Host-session",
                "Path=/; SameSite=Strict; Secure; HttpOnly",
            ),
            (
                |config| config.cookie_same_site(SameSite::None).cookie_partitioned(true),
                "__Host-session",
                "Path=/; SameSite=None; Secure; HttpOnly; Partitioned",
            ),
            (|config| config.dev(), "session", "Path=/; SameSite=Lax; HttpOnly"),
            (
                |config| config.cookie_max_age(CookieMaxAge::Fixed(Duration::from_secs(86400))),
                "__Host-session",
                "Path=/; SameSite=Lax; Secure; HttpOnly",
            ),
        ];
        for (set, name, attributes) in cases {
            let server = start(&bench.clone().with_config(set)).await;
            let visitor = server.visitor();
            let answer = visitor.get("/login").await;
            assert_eq!(set_cookie(&answer), format!("{name}=*; Max-Age=86400; {attributes}"));
            assert_eq!(visitor.get("/me").await.body, "ada", "{name}");
            assert_eq!(set_cookie(&visitor.get("/logout").await), format!("{name}=; {GONE}; {attributes}"));
        }
        let bench = bench.with_config(|config| config.cookie_max_age(CookieMaxAge::Session));
        let server = start(&bench).await;
        let answer = server.visitor().get("/login").await;
        assert_eq!(set_cookie(&answer), "__Host-session=*; Path=/; SameSite=Lax; Secure; HttpOnly");
        let contradictions: [(Set, &str); 7] = [
            (|config| config.cookie_name("shop"), "allow_weak_cookie"),
            (|config| config.cookie_name("shop").cookie_secure(false), "allow_weak_cookie"),
            (|config| config.cookie_domain("example.com"), "unset cookie_domain"),
            (|config| config.cookie_path("/shop"), "unset cookie_path"),
            (|config| config.cookie_secure(false), "set cookie_secure"),
            (|config| config.dev().cookie_same_site(SameSite::None), "set cookie_secure"),
            (|config| config.dev().cookie_partitioned(true), "set cookie_secure"),
        ];
        for (set, advice) in contradictions {
            let refused = set(SessionConfig::builder()).build().expect_err(advice).to_string();
            assert!(refused.contains(advice), "{refused:?} says {advice:?}");
        }
    }

    async fn p8_at_most_one_cookie_is_set(bench: Bench) {
        let server = start(&bench).await;
        let ours = |answer: &Answer| answer.cookies().iter().filter(|cookie| cookie.starts_with("__Host-")).count();
        let visitor = server.visitor();
        for _ in ["new", "known"] {
            bench.clock.advance(Duration::from_secs(120));
            let answer = visitor.get("/busy").await;
            assert_eq!((ours(&answer), answer.cookies().len()), (1, 2), "the handler's own cookie stays");
            assert_eq!(visitor.get("/me").await.body, "ada");
        }
        let answer = visitor.get("/out-and-in").await;
        assert_eq!(ours(&answer), 1);
        assert_eq!(visitor.get("/me").await.body, "bob");
        let answer = visitor.get("/there-and-back").await;
        assert!(set_cookie(&answer).contains("Max-Age=0"));
        assert_eq!((visitor.get("/me").await.body, bench.sessions()), ("nobody".to_owned(), 0));
    }
}
