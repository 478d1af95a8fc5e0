//! Sealed sessions: the same structs, guards and extractors, without a server that keeps anything.

use std::time::Duration;

use sessionkit::{CookieSessions, InCookie, KeyRing, Rolling, SessionData, SessionScope};
use sessionkit_tests::both_frameworks;
use sessionkit_tests::harness::{Bench, Server};

pub(crate) struct Client;

impl SessionScope for Client {
    const NAME: &'static str = "Client";
    type Home = InCookie;
}

#[derive(SessionData)]
#[session(scope = Client)]
pub(crate) struct Cart {
    pub(crate) items: Vec<u32>,
    #[session(flash)]
    pub(crate) notice: Option<String>,
    /// Nobody reads the cookie, so no further keys are needed.
    #[session(sensitive)]
    pub(crate) secret: Option<String>,
}

pub(crate) fn bench() -> Bench {
    Bench::memory().with_keyless_config(|config| config)
}

both_frameworks! {
    tests: [
        a_session_lives_in_its_cookie_alone,
        a_login_keeps_the_fields_and_guards_admit,
        a_logout_removes_the_cookie,
        a_read_sets_no_cookie_and_a_touch_does,
        row_19_both_deadlines_are_enforced_by_the_server,
        a_flash_is_read_once,
        a_failed_handler_leaves_the_cookie,
        an_answer_that_is_lost_leaves_the_session_as_it_was,
        every_changed_bit_is_nobody,
        a_cookie_of_another_name_or_scope_is_nobody,
        two_sessions_at_once_are_nobody,
        the_same_session_twice_is_the_newer_one,
        a_handle_reads_and_cannot_write,
        no_store_is_called,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn add(mut cart: Session<Cart>) -> Reply {
        cart.items.push(7);
        cart.secret = Some("hush".to_owned());
        Reply::ok(cart.items.len())
    }

    async fn fail(mut cart: Session<Cart>) -> Reply {
        cart.items.push(7);
        Reply::status(500, "no")
    }

    async fn note(mut cart: Session<Cart>) -> Reply {
        cart.notice = Some("saved".to_owned());
        Reply::ok("noted")
    }

    async fn show(cart: SessionView<Cart>, auth: Auth<Client>) -> Answered {
        let user = auth.user_id().await?;
        Ok(Reply::ok(format!("{} {} {:?}", user.as_deref().unwrap_or("nobody"), cart.items.len(), cart.secret)))
    }

    async fn notice(mut cart: Session<Cart>) -> Reply {
        Reply::ok(format!("{:?}", cart.notice.take()))
    }

    async fn login(auth: Auth<Client>) -> Answered {
        auth.login("ada").await?;
        Ok(Reply::ok("ada"))
    }

    async fn logout(auth: Auth<Client>) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok("bye"))
    }

    #[session(scope = Client, require_login)]
    async fn account() -> Reply {
        Reply::ok("account")
    }

    async fn later(mut handle: SessionHandle<Client>, Shared(gates): Shared) -> Reply {
        tokio::spawn(async move {
            let items = handle.view::<Cart>().await.map(|cart| cart.items.len()).unwrap_or_default();
            handle.checkout::<Cart>().await.expect("the session is there").items.push(9);
            let refused = handle.commit().await.expect_err("the cookie is sent").to_string();
            gates.note(&format!("{items} {}", refused.contains("after the response")));
            gates.pass("done").await;
        });
        Reply::ok("later")
    }

    async fn start_with(bench: &Bench, sessions: CookieSessions) -> Server {
        let routes = routes![
            "/add" => add, "/fail" => fail, "/note" => note, "/notice" => notice, "/show" => show,
            "/login" => login, "/logout" => logout, "/account" => account, "/later" => later,
        ];
        serve_with(bench, bench.in_cookie::<Client>(sessions).build(), routes).await
    }

    async fn start(bench: &Bench) -> Server {
        start_with(bench, CookieSessions::sealed(KeyRing::generate())).await
    }

    async fn a_session_lives_in_its_cookie_alone() {
        let bench = bench();
        let (keys, other) = (KeyRing::generate(), KeyRing::generate());
        let server = start_with(&bench, CookieSessions::sealed(keys.clone())).await;
        let visitor = server.visitor();
        assert_eq!(visitor.get("/show").await.cookies(), Vec::<&str>::new());
        let answer = visitor.get("/add").await;
        assert_eq!(answer.cookies().len(), 1);
        assert!(answer.cookies()[0].contains("; Path=/; SameSite=Lax; Secure; HttpOnly"), "{answer:?}");
        assert_eq!(answer.all("cache-control"), ["no-store"]);
        assert_eq!(visitor.get("/add").await.body, "2");
        // Another server of the fleet knows as much.
        let second = start_with(&bench, CookieSessions::sealed(keys)).await;
        assert_eq!(visitor.at(&second).get("/show").await.body, "nobody 2 Some(\"hush\")");
        let stranger = start_with(&bench, CookieSessions::sealed(other)).await;
        assert_eq!(visitor.at(&stranger).get("/show").await.body, "nobody 0 None");
        assert_eq!(bench.sessions(), 0);
    }

    async fn a_login_keeps_the_fields_and_guards_admit() {
        let bench = bench();
        let server = start(&bench).await;
        let visitor = server.visitor();
        assert_eq!(visitor.get("/account").await.status, 401);
        visitor.get("/add").await;
        let before = visitor.token().expect("a session has begun");
        visitor.get("/login").await;
        assert_ne!(visitor.token(), Some(before));
        assert_eq!(visitor.get("/account").await.body, "account");
        assert_eq!(visitor.get("/show").await.body, "ada 1 Some(\"hush\")");
    }

    async fn a_logout_removes_the_cookie() {
        let bench = bench();
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        let copy = visitor.fork();
        let answer = visitor.get("/logout").await;
        assert!(answer.cookies()[0].starts_with("__Host-session=; Max-Age=0"), "{answer:?}");
        assert_eq!(visitor.get("/show").await.body, "nobody 0 None");
        // What a session in a cookie cannot promise.
        assert_eq!(copy.get("/show").await.body, "ada 0 None");
    }

    async fn a_read_sets_no_cookie_and_a_touch_does() {
        let bench = bench();
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/add").await;
        assert!(visitor.get("/show").await.cookies().is_empty());
        bench.clock.advance(Duration::from_secs(59));
        assert!(visitor.get("/show").await.cookies().is_empty());
        bench.clock.advance(Duration::from_secs(1));
        assert_eq!(visitor.get("/show").await.cookies().len(), 1);
        assert!(visitor.get("/show").await.cookies().is_empty());
    }

    async fn row_19_both_deadlines_are_enforced_by_the_server() {
        let hour = Duration::from_secs(3600);
        let bench = Bench::memory().with_keyless_config(|config| {
            config.ttl(hour).anonymous_ttl(hour).absolute_ttl(3 * hour).rolling(Rolling::Reset)
        });
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        let idle = visitor.fork();
        for _ in 0..5 {
            bench.clock.advance(hour / 2);
            assert_eq!(visitor.get("/account").await.status, 200);
        }
        assert_eq!(idle.get("/account").await.status, 401);
        bench.clock.advance(hour / 2);
        assert_eq!(visitor.get("/account").await.status, 401);
    }

    async fn a_flash_is_read_once() {
        let bench = bench();
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/note").await;
        assert_eq!(visitor.get("/notice").await.body, "Some(\"saved\")");
        assert_eq!(visitor.get("/notice").await.body, "None");
    }

    async fn a_failed_handler_leaves_the_cookie() {
        let bench = bench();
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/add").await;
        assert!(visitor.get("/fail").await.cookies().is_empty());
        assert_eq!(visitor.get("/add").await.body, "2");
    }

    async fn an_answer_that_is_lost_leaves_the_session_as_it_was() {
        let bench = bench();
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/add").await;
        let lost = visitor.fork();
        lost.get("/add").await;
        assert_eq!(visitor.get("/add").await.body, "2");
    }

    async fn every_changed_bit_is_nobody() {
        let bench = bench();
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        let token = visitor.token().expect("a session has begun");
        assert_eq!(visitor.get("/show").await.body, "ada 0 None");
        for at in (0..token.len()).step_by(7).chain([token.len() - 1]) {
            for bit in 0..6 {
                let mut altered = token.clone().into_bytes();
                let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
                let digit = digits.iter().position(|digit| *digit == altered[at]).expect("it is base64url");
                altered[at] = digits[digit ^ (1 << bit)];
                visitor.set_token(str::from_utf8(&altered).expect("it is text"));
                assert_eq!(visitor.get("/show").await.body, "nobody 0 None", "{at} {bit}");
            }
        }
        for wrong in ["", "x", ".", "2.", "2.AAAA", "9.A", "AQ", &token[1..], &token[..token.len() - 1], &format!("{token}=")] {
            visitor.set_token(wrong);
            assert_eq!(visitor.get("/show").await.body, "nobody 0 None", "{wrong}");
        }
    }

    async fn a_cookie_of_another_name_or_scope_is_nobody() {
        let (bench, keys) = (bench(), KeyRing::generate());
        let server = start_with(&bench, CookieSessions::sealed(keys.clone())).await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        let token = visitor.token().expect("a session has begun");
        let renamed = bench.clone().with_keyless_config(|config| config.cookie_name("__Host-other"));
        let other = start_with(&renamed, CookieSessions::sealed(keys)).await;
        let stranger = other.visitor();
        let cookie = format!("__Host-other={token}");
        let answer = stranger.send(reqwest::Method::GET, "/show", &[("cookie", cookie.as_bytes())], "").await;
        assert_eq!(answer.body, "nobody 0 None");
    }

    async fn two_sessions_at_once_are_nobody() {
        let bench = bench();
        let server = start(&bench).await;
        let (one, other) = (server.visitor(), server.visitor());
        one.get("/login").await;
        other.get("/login").await;
        let tokens = [one.token(), other.token()].map(|token| format!("__Host-session={}", token.unwrap_or_default()));
        let both = tokens.join("; ");
        let answer = one.send(reqwest::Method::GET, "/show", &[("cookie", both.as_bytes())], "").await;
        assert_eq!(answer.body, "nobody 0 None");
    }

    async fn the_same_session_twice_is_the_newer_one() {
        let bench = bench();
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/add").await;
        let old = visitor.token().unwrap_or_default();
        visitor.get("/add").await;
        let new = visitor.token().unwrap_or_default();
        for both in [[&old, &new], [&new, &old]] {
            let cookies = both.map(|token| format!("__Host-session={token}")).join("; ");
            let answer = visitor.send(reqwest::Method::GET, "/show", &[("cookie", cookies.as_bytes())], "").await;
            assert_eq!(answer.body, "nobody 2 Some(\"hush\")");
        }
    }

    async fn a_handle_reads_and_cannot_write() {
        let bench = bench();
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/add").await;
        visitor.get("/later").await;
        bench.gates.arrived("done", 1).await;
        assert_eq!(bench.gates.noted("1 true"), 1);
        bench.gates.open("done", 1);
        assert_eq!(visitor.get("/show").await.body, "nobody 1 Some(\"hush\")");
    }

    async fn no_store_is_called() {
        let bench = bench();
        let server = start(&bench).await;
        let visitor = server.visitor();
        for path in ["/add", "/login", "/show", "/account", "/logout"] {
            visitor.get(path).await;
        }
        assert_eq!(bench.store.take().total(), 0);
    }
}
