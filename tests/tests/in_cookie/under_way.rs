//! Revocations that somebody tries to outrun, or that meet something under way.

use std::time::Duration;

use sessionkit::testing::FailingStore;
use sessionkit::{CookieSessions, InRevocableCookie, Rolling, SessionManager, SessionScope};
use sessionkit_tests::both_frameworks;
use sessionkit_tests::harness::{Bench, Server};

use crate::sealed::bench;

struct Member;

impl SessionScope for Member {
    const NAME: &'static str = "Member";
    type Home = InRevocableCookie;
}

const DAY: Duration = Duration::from_secs(86_400);

fn sessions() -> CookieSessions {
    CookieSessions::sealed("3dBz3wXVEFmPe7Yxkzr8BqkeoYTKqCpOQxuL9mHDj1U".parse().expect("it is random"))
}

fn manager(bench: &Bench) -> SessionManager<Member> {
    bench.in_cookie::<Member>(sessions().revocable(bench.store.clone())).build()
}

both_frameworks! {
    tests: [
        a_logout_with_an_old_cookie_ends_the_newest_copy,
        a_logout_with_an_expired_cookie_ends_the_newest_copy,
        a_logout_ends_a_copy_from_a_longer_login,
        a_proof_under_way_does_not_escape_the_end_of_all,
        a_login_under_way_does_not_escape_the_end_of_all,
        a_login_in_a_copy_of_an_ended_session_holds,
        an_impersonation_ends_with_its_actor,
        a_logout_while_acting_is_final,
        users_are_refused_and_visitors_served_while_the_store_is_down,
        a_handle_learns_of_the_end,
        lists_of_devices_do_no_harm,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn login(auth: Auth<Member>) -> Answered {
        auth.login("ada").await?;
        Ok(Reply::ok("ada"))
    }

    async fn remember(auth: Auth<Member>) -> Answered {
        auth.login("ada").lifetime(90 * DAY).await?;
        Ok(Reply::ok("ada"))
    }

    async fn login_late(auth: Auth<Member>, Shared(gates): Shared) -> Answered {
        auth.user_id().await?;
        gates.pass("login").await;
        auth.login("ada").await?;
        Ok(Reply::ok("ada"))
    }

    async fn elevate_late(auth: Auth<Member>, Shared(gates): Shared) -> Answered {
        auth.user_id().await?;
        gates.pass("elevate").await;
        auth.elevate("otp").await?;
        Ok(Reply::ok("elevated"))
    }

    async fn act(auth: Auth<Member>) -> Answered {
        auth.impersonate("grace").await?;
        Ok(Reply::ok("acting"))
    }

    async fn act_late(auth: Auth<Member>, Shared(gates): Shared) -> Answered {
        auth.user_id().await?;
        gates.pass("act").await;
        auth.impersonate("grace").await?;
        Ok(Reply::ok("acting"))
    }

    async fn logout(auth: Auth<Member>) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok("bye"))
    }

    async fn who(auth: Auth<Member>) -> Answered {
        Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
    }

    async fn visit(auth: Auth<Member>) -> Answered {
        auth.dynamic().await?.insert("visited", &true)?;
        Ok(Reply::ok("visited"))
    }

    async fn watch(mut handle: SessionHandle<Member>, Shared(gates): Shared) -> Reply {
        tokio::spawn(async move {
            gates.pass("watch").await;
            let is_there = handle.reload().await.expect("the store answers");
            gates.note(if is_there { "there" } else { "gone" });
            gates.pass("watched").await;
        });
        Reply::ok("watching")
    }

    async fn start(bench: &Bench, manager: SessionManager<Member>) -> Server {
        let routes = routes![
            "/login" => login, "/remember" => remember, "/login-late" => login_late, "/elevate" => elevate_late,
            "/act" => act, "/act-late" => act_late, "/logout" => logout, "/who" => who, "/visit" => visit,
            "/watch" => watch,
        ];
        serve_with(bench, manager, routes).await
    }

    fn rolling() -> Bench {
        Bench::memory().with_keyless_config(|config| config.ttl(30 * DAY).absolute_ttl(90 * DAY).rolling(Rolling::Reset))
    }

    async fn a_logout_with_an_old_cookie_ends_the_newest_copy() {
        let bench = rolling();
        let server = start(&bench, manager(&bench)).await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        let thief = visitor.fork();
        bench.clock.advance(20 * DAY);
        assert_eq!(thief.get("/who").await.body, "ada");
        visitor.get("/logout").await;
        assert_eq!(thief.get("/who").await.body, "nobody");
        // The end of the cookie that was logged out has come, and not that of the copy.
        bench.clock.advance(15 * DAY);
        assert_eq!(thief.get("/who").await.body, "nobody");
    }

    async fn a_logout_with_an_expired_cookie_ends_the_newest_copy() {
        let bench = rolling();
        let server = start(&bench, manager(&bench)).await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        let (thief, token) = (visitor.fork(), visitor.token().expect("there is a cookie"));
        bench.clock.advance(20 * DAY);
        assert_eq!(thief.get("/who").await.body, "ada");
        bench.clock.advance(15 * DAY);
        visitor.set_token(&token);
        visitor.get("/logout").await;
        assert_eq!(thief.get("/who").await.body, "nobody");
    }

    async fn a_logout_ends_a_copy_from_a_longer_login() {
        let bench = Bench::memory().with_keyless_config(|config| config.ttl(DAY).absolute_ttl(7 * DAY));
        let server = start(&bench, manager(&bench)).await;
        let visitor = server.visitor();
        visitor.get("/remember").await;
        let thief = visitor.fork();
        visitor.get("/login").await;
        visitor.get("/logout").await;
        assert_eq!(thief.get("/who").await.body, "nobody");
        bench.clock.advance(30 * DAY);
        assert_eq!(thief.get("/who").await.body, "nobody");
    }

    async fn a_proof_under_way_does_not_escape_the_end_of_all() {
        let bench = bench();
        let server = start(&bench, manager(&bench)).await;
        for (path, gate) in [("/elevate", "elevate"), ("/act-late", "act")] {
            let visitor = server.visitor();
            visitor.get("/login").await;
            let late = visitor.get_in_background(path);
            bench.gates.arrived(gate, 1).await;
            manager(&bench).end_all("ada").await.expect("the store answers");
            bench.gates.open(gate, 1);
            let answer = late.await.expect("it is answered");
            assert!(answer.status < 500, "{answer:?}");
            assert_eq!(visitor.get("/who").await.body, "nobody", "{path}");
        }
    }

    async fn a_login_under_way_does_not_escape_the_end_of_all() {
        let bench = bench();
        let server = start(&bench, manager(&bench)).await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        let before = visitor.fork();
        let late = visitor.get_in_background("/login-late");
        bench.gates.arrived("login", 1).await;
        manager(&bench).end_all("ada").await.expect("the store answers");
        bench.gates.open("login", 1);
        late.await.expect("it is answered");
        // It is a login of its own, after the end of all; the session before it is over.
        assert_eq!(visitor.get("/who").await.body, "ada");
        assert_eq!(before.get("/who").await.body, "nobody");
        manager(&bench).end_all("ada").await.expect("the store answers");
        assert_eq!(visitor.get("/who").await.body, "nobody");
    }

    async fn a_login_in_a_copy_of_an_ended_session_holds() {
        let bench = bench();
        let server = start(&bench, manager(&bench)).await;
        let visitor = server.visitor();
        visitor.get("/visit").await;
        // A slow request of the visitor's, whose answer comes last.
        let before = visitor.token().expect("a session has begun");
        visitor.get("/login").await;
        visitor.get("/logout").await;
        visitor.set_token(&before);
        assert_eq!(visitor.get("/who").await.body, "nobody");
        visitor.get("/login").await;
        assert_eq!(visitor.get("/who").await.body, "ada");
        // A login under way in a session of the user's that was logged out meanwhile.
        let late = visitor.get_in_background("/login-late");
        bench.gates.arrived("login", 1).await;
        let copy = visitor.fork();
        copy.get("/logout").await;
        bench.gates.open("login", 1);
        late.await.expect("it is answered");
        assert_eq!(visitor.get("/who").await.body, "ada");
    }

    async fn an_impersonation_ends_with_its_actor() {
        let bench = bench();
        let server = start(&bench, manager(&bench)).await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        visitor.get("/act").await;
        manager(&bench).end_all("grace").await.expect("the store answers");
        assert_eq!(visitor.get("/who").await.body, "grace");
        manager(&bench).end_all("ada").await.expect("the store answers");
        assert_eq!(visitor.get("/who").await.body, "nobody");
    }

    async fn a_logout_while_acting_is_final() {
        let bench = bench();
        let server = start(&bench, manager(&bench)).await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        let before = visitor.fork();
        visitor.get("/act").await;
        let acting = visitor.fork();
        visitor.get("/logout").await;
        assert_eq!(before.get("/who").await.body, "nobody");
        assert_eq!(acting.get("/who").await.body, "nobody");
    }

    async fn users_are_refused_and_visitors_served_while_the_store_is_down() {
        let bench = bench();
        let store = FailingStore::new(bench.store.clone());
        let manager = bench.in_cookie::<Member>(sessions().revocable(store.clone())).build();
        let server = start(&bench, manager).await;
        let (user, visitor) = (server.visitor(), server.visitor());
        user.get("/login").await;
        visitor.get("/visit").await;
        store.fail();
        for path in ["/who", "/visit", "/act", "/logout", "/login"] {
            let answer = user.get(path).await;
            assert_eq!((answer.status, answer.cookies().len()), (503, 0), "{path}");
        }
        assert_eq!(visitor.get("/visit").await.status, 200);
        assert_eq!(visitor.get("/who").await.body, "nobody");
        let answer = visitor.get("/login").await;
        assert_eq!((answer.status, answer.cookies().len()), (503, 0));
        assert_eq!(visitor.get("/logout").await.status, 200);
        store.recover();
        assert_eq!(user.get("/who").await.body, "ada");
    }

    async fn a_handle_learns_of_the_end() {
        let bench = bench();
        let server = start(&bench, manager(&bench)).await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        visitor.get("/watch").await;
        bench.gates.arrived("watch", 1).await;
        visitor.get("/logout").await;
        bench.gates.open("watch", 1);
        bench.gates.arrived("watched", 1).await;
        assert_eq!(bench.gates.noted("gone"), 1);
        bench.gates.open("watched", 1);
    }

    async fn lists_of_devices_do_no_harm() {
        let bench = Bench::memory().with_keyless_config(|config| config.track_devices(true));
        let server = start(&bench, manager(&bench)).await;
        let visitor = server.visitor();
        for path in ["/visit", "/login", "/login", "/act", "/who"] {
            assert_eq!(visitor.get(path).await.status, 200, "{path}");
        }
        let copy = visitor.fork();
        assert_eq!(visitor.get("/logout").await.status, 200);
        assert_eq!(copy.get("/who").await.body, "nobody");
    }
}
