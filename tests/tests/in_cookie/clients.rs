//! Sealed sessions among everything else that a client sends, and requests that fail half-way.

use std::time::Duration;

use sessionkit::{CookieMaxAge, CookieSessions, InCookie, KeyRing, LoadCookie, SessionData, SessionScope};
use sessionkit_tests::both_frameworks;
use sessionkit_tests::harness::{Bench, Server};

use crate::sealed::{Client, bench};

#[derive(SessionData)]
#[session(scope = Client)]
struct Text {
    text: String,
}

struct Neighbour;

impl SessionScope for Neighbour {
    const NAME: &'static str = "Neighbour";
    type Home = InCookie;
}

const KEY: &str = "3dBz3wXVEFmPe7Yxkzr8BqkeoYTKqCpOQxuL9mHDj1U";

fn keys() -> KeyRing {
    KEY.parse().expect("it is random")
}

fn in_chunks(most: usize) -> CookieSessions {
    CookieSessions::sealed_in_chunks(keys(), most).expect("it is a number of chunks")
}

both_frameworks! {
    tests: [
        a_login_holds_though_the_handler_fails,
        a_login_holds_though_the_fields_do_not_fit,
        a_visitor_is_remembered_as_long_as_was_asked,
        a_renewed_session_beside_its_old_cookie_keeps_what_it_writes,
        a_cookie_with_the_name_of_a_chunk_is_left_alone,
        a_session_that_is_too_large_by_now_can_be_read,
        what_a_hook_puts_in_place_is_opened,
        many_cookies_of_our_name_are_no_burden,
        mixed_and_doubled_chunks_open_nothing_wrong,
        the_same_session_under_two_names_is_two,
        tokens_are_renewed_in_cookies_too,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn write(text: Session<Text>, body: String) -> Reply {
        let mut text = text;
        text.text = body;
        Reply::ok("written")
    }

    async fn read(text: SessionView<Text>) -> Reply {
        Reply::ok(text.text.len())
    }

    async fn login(auth: Auth<Client>) -> Answered {
        auth.login("ada").await?;
        Ok(Reply::ok("ada"))
    }

    async fn logout(auth: Auth<Client>) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok("bye"))
    }

    async fn login_and_fail(auth: Auth<Client>, text: Session<Text>) -> Answered {
        let mut text = text;
        text.text = "lost".to_owned();
        drop(text);
        auth.login("ada").await?;
        Ok(Reply::status(500, "no"))
    }

    async fn login_and_grow(auth: Auth<Client>, text: Session<Text>) -> Answered {
        auth.login("ada").await?;
        let mut text = text;
        text.text = "x".repeat(9000);
        Ok(Reply::ok("ada"))
    }

    async fn who(auth: Auth<Client>) -> Answered {
        Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
    }

    async fn remember(auth: Auth<Client>, text: Session<Text>) -> Answered {
        let mut text = text;
        text.text = "here".to_owned();
        drop(text);
        auth.set_anonymous_ttl(Duration::from_secs(30 * 86_400)).await?;
        Ok(Reply::ok("remembered"))
    }

    async fn start_with(
        bench: &Bench,
        sessions: CookieSessions,
        set: impl FnOnce(sessionkit::SessionManagerBuilder<Client>) -> sessionkit::SessionManagerBuilder<Client>,
    ) -> Server {
        let routes = routes![
            "/write" => write, "/read" => read, "/login" => login, "/logout" => logout, "/fail" => login_and_fail,
            "/grow" => login_and_grow, "/who" => who, "/remember" => remember,
        ];
        serve_with(bench, set(bench.in_cookie::<Client>(sessions)).build(), routes).await
    }

    async fn start(bench: &Bench, sessions: CookieSessions) -> Server {
        start_with(bench, sessions, |builder| builder).await
    }

    async fn a_login_holds_though_the_handler_fails() {
        let bench = bench();
        let server = start(&bench, CookieSessions::sealed(keys())).await;
        let visitor = server.visitor();
        visitor.post("/write", "kept").await;
        let answer = visitor.get("/fail").await;
        assert_eq!((answer.status, answer.cookies().len()), (500, 1));
        assert_eq!(visitor.get("/who").await.body, "ada");
        assert_eq!(visitor.get("/read").await.body, "4");
    }

    async fn a_login_holds_though_the_fields_do_not_fit() {
        let bench = bench();
        let server = start(&bench, CookieSessions::sealed(keys())).await;
        let visitor = server.visitor();
        let answer = visitor.get("/grow").await;
        assert_eq!((answer.status, answer.cookies().len()), (500, 1));
        assert_eq!(visitor.get("/who").await.body, "ada");
        assert_eq!(visitor.get("/read").await.body, "0");
    }

    async fn a_visitor_is_remembered_as_long_as_was_asked() {
        let bench = Bench::memory().with_keyless_config(|config| config.cookie_max_age(CookieMaxAge::Session));
        let server = start(&bench, CookieSessions::sealed(keys())).await;
        let visitor = server.visitor();
        let answer = visitor.get("/remember").await;
        assert!(answer.cookies()[0].contains("Max-Age=2592000"), "{answer:?}");
        let answer = visitor.post("/write", "more").await;
        assert!(answer.cookies()[0].contains("Max-Age="), "{answer:?}");
        bench.clock.advance(Duration::from_secs(86_400));
        let answer = visitor.get("/read").await;
        assert!(answer.cookies()[0].contains("Max-Age="), "{answer:?}");
        // Nobody asked for these.
        let other = server.visitor();
        let answer = other.post("/write", "more").await;
        assert!(!answer.cookies()[0].contains("Max-Age="), "{answer:?}");
    }

    async fn a_renewed_session_beside_its_old_cookie_keeps_what_it_writes() {
        let hour = Duration::from_secs(3600);
        let bench = Bench::memory().with_keyless_config(|config| config.renew_after(hour));
        let server = start(&bench, CookieSessions::sealed(keys())).await;
        let visitor = server.visitor();
        visitor.post("/write", "x").await;
        let old = visitor.token().expect("a session has begun");
        bench.clock.advance(hour);
        visitor.get("/read").await;
        let new = visitor.token().expect("it was renewed");
        assert_ne!(old, new);
        for cookies in [[&old, &new], [&new, &old]] {
            let cookies = cookies.map(|token| format!("__Host-session={token}")).join("; ");
            let answer = visitor.send(reqwest::Method::POST, "/write", &[("cookie", cookies.as_bytes())], "xxx").await;
            assert_eq!((answer.status, answer.cookies().len()), (200, 1), "{answer:?}");
        }
    }

    async fn a_cookie_with_the_name_of_a_chunk_is_left_alone() {
        let bench = bench();
        let server = start(&bench, CookieSessions::sealed(keys())).await;
        let visitor = server.visitor();
        visitor.set_cookie("__Host-session-1", "another scope's");
        assert_eq!(visitor.post("/write", "x").await.cookies().len(), 1);
        assert_eq!(visitor.get("/login").await.cookies().len(), 1);
        assert_eq!(visitor.get("/logout").await.cookies().len(), 1);
        // What a session in several cookies has left is removed, though it takes one by now.
        let before = start(&bench, in_chunks(4)).await;
        let visitor = before.visitor();
        visitor.post("/write", &"x".repeat(5000)).await;
        let visitor = visitor.at(&server);
        visitor.post("/write", "x").await;
        assert_eq!(visitor.cookie_names(), ["__Host-session"]);
    }

    async fn a_session_that_is_too_large_by_now_can_be_read() {
        let bench = bench();
        let before = start(&bench, in_chunks(4)).await;
        let visitor = before.visitor();
        visitor.post("/write", &"x".repeat(8000)).await;
        let after = start(&bench, CookieSessions::sealed(keys())).await;
        let visitor = visitor.at(&after);
        bench.clock.advance(Duration::from_secs(3600));
        // Its use cannot be noted, and that is all.
        let answer = visitor.get("/read").await;
        assert_eq!((answer.status, answer.body.as_str(), answer.cookies().len()), (200, "8000", 0));
        assert_eq!(visitor.get("/login").await.status, 500);
        assert_eq!(visitor.post("/write", "small").await.status, 200);
        assert_eq!(visitor.cookie_names(), ["__Host-session"]);
    }

    async fn what_a_hook_puts_in_place_is_opened() {
        let bench = bench();
        let server = start(&bench, CookieSessions::sealed(keys())).await;
        let visitor = server.visitor();
        visitor.post("/write", "older").await;
        let sealed = visitor.token().expect("a session has begun");
        let hooked = start_with(&bench, CookieSessions::sealed(keys()), |builder| {
            builder.on_load_cookie(move |cookie| {
                let decision = match cookie.value() {
                    "older" => LoadCookie::Replace(sealed.clone()),
                    "other" => LoadCookie::Replace("garbage".to_owned()),
                    "ignored" => LoadCookie::Ignore,
                    _ => LoadCookie::Continue,
                };
                async move { decision }
            })
        })
        .await;
        let visitor = hooked.visitor();
        for (value, found) in [("older", "5"), ("other", "0"), ("ignored", "0")] {
            visitor.set_token(value);
            assert_eq!(visitor.get("/read").await.body, found, "{value}");
        }
        visitor.set_token("older");
        let answer = visitor.post("/write", "newest").await;
        assert_eq!(answer.cookies().len(), 1);
        assert_eq!(visitor.get("/read").await.body, "6");
    }

    async fn many_cookies_of_our_name_are_no_burden() {
        let bench = bench();
        for sessions in [CookieSessions::sealed(keys()), in_chunks(8)] {
            let server = start(&bench, sessions).await;
            let visitor = server.visitor();
            visitor.post("/write", "here").await;
            let own = visitor.token().expect("a session has begun");
            let mut cookies = vec![format!("__Host-session={own}")];
            for number in 0..300 {
                cookies.push(format!("__Host-session=8.AQ{number}; __Host-session-{}=x", number % 12));
            }
            let cookies = cookies.join("; ");
            let answer = visitor.send(reqwest::Method::GET, "/read", &[("cookie", cookies.as_bytes())], "").await;
            assert_eq!((answer.status, answer.body.as_str()), (200, "4"));
        }
    }

    async fn mixed_and_doubled_chunks_open_nothing_wrong() {
        let bench = bench();
        let server = start(&bench, in_chunks(4)).await;
        let visitor = server.visitor();
        let mut sets = Vec::new();
        for size in [4000, 4001, 8000] {
            visitor.post("/write", &"x".repeat(size)).await;
            let names = visitor.cookie_names();
            sets.push(names.into_iter().map(|name| format!("{name}={}", visitor.cookie(&name).unwrap_or_default())).collect::<Vec<_>>());
        }
        let send = async |cookies: Vec<String>| {
            let cookies = cookies.join("; ");
            visitor.send(reqwest::Method::GET, "/read", &[("cookie", cookies.as_bytes())], "").await
        };
        let [a, b, c] = &sets[..] else { unreachable!("there are three") };
        // Both whole: the newer one.
        assert_eq!(send([a.clone(), b.clone()].concat()).await.body, "4001");
        assert_eq!(send([b.clone(), a.clone()].concat()).await.body, "4001");
        // The second piece of another, in whatever order, or one too many.
        assert_eq!(send(vec![a[0].clone(), b[1].clone()]).await.body, "0");
        assert_eq!(send(vec![c[0].clone(), a[1].clone()]).await.body, "0");
        assert_eq!(send(vec![a[0].clone(), a[1].clone(), c[2].clone()]).await.body, "4000");
        assert_eq!(send(c.iter().rev().cloned().collect()).await.body, "8000");
    }

    async fn the_same_session_under_two_names_is_two() {
        let bench = bench();
        let server = start(&bench, CookieSessions::sealed(keys())).await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        let token = visitor.token().expect("a session has begun");
        // The same cookie name and the same key, in another scope.
        async fn neighbour(auth: Auth<Neighbour>) -> Answered {
            Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
        }
        let other = bench.in_cookie::<Neighbour>(CookieSessions::sealed(keys())).build();
        let other = serve_with(&bench, other, routes!["/who" => neighbour]).await;
        let stranger = other.visitor();
        stranger.set_token(&token);
        assert_eq!(stranger.get("/who").await.body, "nobody");
    }

    async fn tokens_are_renewed_in_cookies_too() {
        let hour = Duration::from_secs(3600);
        let bench = Bench::memory()
            .with_keyless_config(|config| config.renew_after(hour).rotation_grace(Duration::from_secs(60)));
        let server = start(&bench, CookieSessions::sealed(keys())).await;
        let visitor = server.visitor();
        visitor.post("/write", "x").await;
        for _ in 0..6 {
            bench.clock.advance(hour / 2);
            visitor.get("/login").await;
            bench.clock.advance(hour / 2);
            assert_eq!(visitor.get("/who").await.body, "ada");
            let lost = visitor.fork();
            lost.get("/who").await;
            assert_eq!(visitor.get("/read").await.body, "1");
        }
    }
}
