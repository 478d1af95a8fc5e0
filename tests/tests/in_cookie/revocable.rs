//! Sessions in cookies that end before their time, because a store says so.

use std::time::Duration;

use sessionkit::testing::FailingStore;
use sessionkit::{CookieSessions, InRevocableCookie, KeyRing, SessionManager, SessionScope};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, Server};

struct Member;

impl SessionScope for Member {
    const NAME: &'static str = "Member";
    type Home = InRevocableCookie;
}

fn manager(bench: &Bench) -> SessionManager<Member> {
    let keys = "3dBz3wXVEFmPe7Yxkzr8BqkeoYTKqCpOQxuL9mHDj1U".parse().expect("it is random");
    bench.in_cookie::<Member>(CookieSessions::sealed(keys).revocable(bench.store.clone())).build()
}

behaviour! {
    tests: [
        a_logout_is_final,
        row_19_all_sessions_of_a_user_end_at_once,
        a_login_after_the_end_of_all_holds,
        a_request_that_was_under_way_does_not_bring_a_session_back,
        a_rotation_does_not_escape,
        anonymous_sessions_need_no_store,
        the_budget_is_one_load_for_users,
        an_end_is_remembered_as_long_as_a_cookie,
        a_copy_that_was_used_later_stays_ended,
        without_the_store_nobody_is_let_in,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn login(auth: Auth<Member>) -> Answered {
        auth.login("ada").await?;
        Ok(Reply::ok("ada"))
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

    async fn slow(auth: Auth<Member>, Shared(gates): Shared) -> Answered {
        auth.dynamic().await?.insert("slow", &true)?;
        gates.pass("slow").await;
        Ok(Reply::ok("slow"))
    }

    async fn rotate_late(auth: Auth<Member>, Shared(gates): Shared) -> Answered {
        auth.user_id().await?;
        gates.pass("rotate").await;
        auth.rotate().await?;
        Ok(Reply::ok("rotated"))
    }

    async fn start(bench: &Bench) -> Server {
        let routes = routes![
            "/login" => login, "/logout" => logout, "/who" => who, "/visit" => visit, "/slow" => slow,
            "/rotate" => rotate_late,
        ];
        serve_with(bench, manager(bench), routes).await
    }

    async fn a_logout_is_final(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        let (before, other) = (visitor.fork(), server.visitor());
        other.get("/login").await;
        visitor.get("/visit").await;
        let copy = visitor.fork();
        visitor.get("/logout").await;
        for gone in [&before, &copy, &visitor] {
            assert_eq!(gone.get("/who").await.body, "nobody");
        }
        assert_eq!(other.get("/who").await.body, "ada");
    }

    async fn row_19_all_sessions_of_a_user_end_at_once(bench: Bench) {
        let server = start(&bench).await;
        let (one, other) = (server.visitor(), server.visitor());
        one.get("/login").await;
        other.get("/login").await;
        manager(&bench).end_all("grace").await.expect("the store answers");
        assert_eq!(one.get("/who").await.body, "ada");
        manager(&bench).end_all("ada").await.expect("the store answers");
        assert_eq!(one.get("/who").await.body, "nobody");
        assert_eq!(other.get("/who").await.body, "nobody");
    }

    async fn a_login_after_the_end_of_all_holds(bench: Bench) {
        let server = start(&bench).await;
        let (old, visitor) = (server.visitor(), server.visitor());
        old.get("/login").await;
        manager(&bench).end_all("ada").await.expect("the store answers");
        visitor.get("/login").await;
        assert_eq!(visitor.get("/who").await.body, "ada");
        // In the browser of the session that ended, too.
        let copy = old.fork();
        old.get("/login").await;
        assert_eq!(old.get("/who").await.body, "ada");
        assert_eq!(copy.get("/who").await.body, "nobody");
        manager(&bench).end_all("ada").await.expect("the store answers");
        assert_eq!(visitor.get("/who").await.body, "nobody");
    }

    async fn a_request_that_was_under_way_does_not_bring_a_session_back(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        let slow = visitor.get_in_background("/slow");
        bench.gates.arrived("slow", 1).await;
        visitor.get("/logout").await;
        bench.gates.open("slow", 1);
        slow.await.expect("it is answered");
        // Its cookie came last, and opens nothing.
        assert_eq!(visitor.get("/who").await.body, "nobody");
    }

    async fn a_rotation_does_not_escape(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        let late = visitor.get_in_background("/rotate");
        bench.gates.arrived("rotate", 1).await;
        manager(&bench).end_all("ada").await.expect("the store answers");
        bench.gates.open("rotate", 1);
        late.await.expect("it is answered");
        assert_eq!(visitor.get("/who").await.body, "nobody");
    }

    async fn anonymous_sessions_need_no_store(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        bench.store.take();
        for _ in 0..2 {
            assert_eq!(visitor.get("/visit").await.status, 200);
            assert_eq!(visitor.get("/who").await.body, "nobody");
        }
        assert_eq!(bench.store.take().total(), 0);
    }

    async fn the_budget_is_one_load_for_users(bench: Bench) {
        let server = start(&bench).await;
        let visitor = server.visitor();
        for (path, calls) in [("/login", 1), ("/who", 1), ("/visit", 1), ("/logout", 3), ("/who", 0)] {
            bench.store.take();
            visitor.get(path).await;
            assert_eq!(bench.store.take().total(), calls, "{path}");
        }
    }

    async fn an_end_is_remembered_as_long_as_a_cookie(bench: Bench) {
        let bench = bench.with_config(|config| config.ttl(Duration::from_secs(400 * 86_400)).absolute_ttl(Duration::from_secs(400 * 86_400)));
        let server = start(&bench).await;
        let (one, other) = (server.visitor(), server.visitor());
        one.get("/login").await;
        other.get("/login").await;
        let copy = one.fork();
        one.get("/logout").await;
        bench.clock.advance(Duration::from_secs(300 * 86_400));
        other.get("/logout").await;
        bench.clock.advance(Duration::from_secs(90 * 86_400));
        assert_eq!(copy.get("/who").await.body, "nobody");
    }

    async fn a_copy_that_was_used_later_stays_ended(bench: Bench) {
        let hour = Duration::from_secs(3600);
        let server = start(&bench).await;
        let (visitor, other) = (server.visitor(), server.visitor());
        visitor.get("/login").await;
        let copy = visitor.fork();
        bench.clock.advance(12 * hour);
        assert_eq!(copy.get("/who").await.body, "ada");
        visitor.get("/logout").await;
        // After the deadline of the cookie that was logged out, and before that of the copy, the list is written again.
        bench.clock.advance(15 * hour);
        other.get("/login").await;
        other.get("/logout").await;
        assert_eq!(copy.get("/who").await.body, "nobody");
    }

    async fn without_the_store_nobody_is_let_in(bench: Bench) {
        let store = FailingStore::new(bench.store.clone());
        let keys = KeyRing::generate();
        let manager = bench.in_cookie::<Member>(CookieSessions::sealed(keys).revocable(store.clone())).build();
        let routes = routes!["/login" => login, "/logout" => logout, "/who" => who, "/visit" => visit];
        let server = serve_with(&bench, manager, routes).await;
        let (user, guest) = (server.visitor(), server.visitor());
        user.get("/login").await;
        guest.get("/visit").await;
        store.fail();
        let before = user.token();
        for path in ["/who", "/logout"] {
            let answer = user.get(path).await;
            assert_eq!((answer.status, answer.cookies().len()), (503, 0), "{path}");
        }
        assert_eq!(user.token(), before);
        assert_eq!(guest.get("/who").await.body, "nobody");
        assert_eq!(guest.get("/login").await.status, 503);
        store.recover();
        assert_eq!(user.get("/who").await.body, "ada");
    }
}
