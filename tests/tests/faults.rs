//! A Redis, a PostgreSQL or a MariaDB that is stopped, killed, restarted or cut off in the middle of traffic.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use sessionkit::{SessionData, SessionManager};
use sessionkit_tests::harness::fault::{Fault, assert_unavailable, recovered};
use sessionkit_tests::harness::{Bench, Server, ServerKind, Traffic};
use sessionkit_tests::on_each_server;

#[derive(SessionData)]
struct Cart {
    items: Vec<u32>,
    #[session(merge = add)]
    views: u64,
    #[session(flash)]
    notice: Option<String>,
}

/// The time in which every request must be answered. The store alone would wait twice as long: see
/// [`Bench::persistent`].
const LONG_AFTER_THE_DEADLINE: Duration = Duration::from_secs(30);

on_each_server! {
    tests: [
        while_the_server_is_stopped,
        while_the_server_is_killed,
        while_the_network_refuses,
        while_the_network_swallows,
        the_server_is_stopped_before_the_commit,
        the_server_is_killed_before_the_commit,
        the_network_refuses_before_the_commit,
        the_network_swallows_the_commit,
        the_server_is_restarted_in_the_middle_of_traffic,
        connections_are_lost_in_the_middle_of_traffic,
        a_connection_that_will_never_answer_is_replaced,
        a_touch_that_fails_does_not_fail_the_page,
    ];

    async fn plain() -> Reply {
        Reply::ok("hello")
    }

    async fn add(mut cart: Session<Cart>) -> Reply {
        cart.views += 1;
        cart.items.push(1);
        Reply::ok("added")
    }

    async fn read(cart: SessionView<Cart>) -> Reply {
        Reply::ok(format!("{} {:?} {:?}", cart.views, cart.items, cart.notice))
    }

    async fn views(cart: SessionView<Cart>) -> Reply {
        Reply::ok(cart.views)
    }

    async fn maybe(cart: MaybeSession<Cart>) -> Reply {
        Reply::ok(cart.0.is_some())
    }

    async fn who(auth: Auth) -> Result<Reply, SessionRejection> {
        Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
    }

    async fn login(auth: Auth) -> Result<Reply, SessionRejection> {
        auth.login("bob").await?;
        Ok(Reply::ok("welcome"))
    }

    async fn logout(auth: Auth) -> Result<Reply, SessionRejection> {
        auth.logout().await?;
        Ok(Reply::ok("bye"))
    }

    #[session(require_login)]
    async fn guarded(shared: Shared) -> Reply {
        shared.0.note("let in");
        Reply::ok("let in")
    }

    /// The defaults would pass.
    #[session(require = |cart: &Cart| cart.views < 100)]
    async fn allowed(shared: Shared) -> Reply {
        shared.0.note("let in");
        Reply::ok("let in")
    }

    async fn slow_add(mut cart: Session<Cart>, shared: Shared) -> Reply {
        cart.views += 1;
        cart.items.push(7);
        cart.notice = Some("added".into());
        shared.0.pass("loaded").await;
        Reply::ok("added")
    }

    async fn slow_read(cart: SessionView<Cart>, shared: Shared) -> Reply {
        shared.0.pass("loaded").await;
        Reply::ok(cart.views)
    }

    async fn slow_login(auth: Auth, shared: Shared) -> Result<Reply, SessionRejection> {
        auth.user_id().await?;
        shared.0.pass("loaded").await;
        auth.login("ada").await?;
        Ok(Reply::ok("welcome"))
    }

    async fn slow_logout(auth: Auth, shared: Shared) -> Result<Reply, SessionRejection> {
        auth.user_id().await?;
        shared.0.pass("loaded").await;
        auth.logout().await?;
        Ok(Reply::ok("bye"))
    }

    async fn shop(bench: &Bench) -> Server {
        shop_with(bench, bench.manager()).await
    }

    async fn shop_with(bench: &Bench, manager: SessionManager) -> Server {
        let routes = routes![
            "/" => plain, "/add" => add, "/read" => read, "/views" => views, "/maybe" => maybe, "/who" => who,
            "/login" => login, "/logout" => logout, "/guarded" => guarded, "/allowed" => allowed,
            "/slow/add" => slow_add, "/slow/read" => slow_read, "/slow/login" => slow_login,
            "/slow/logout" => slow_logout,
        ];
        serve_with(bench, manager, routes).await
    }

    async fn outage(fault: Fault, kind: ServerKind) {
        let bench = fault.bench(kind).await;
        let manager = bench.manager();
        let server = shop_with(&bench, manager.clone()).await;
        let (bob, newcomer) = (server.visitor(), server.visitor());
        bob.get("/login").await;
        bob.get("/add").await;
        let token = bob.token();
        fault.begin(&bench).await;
        bench.store.take();

        let began = Instant::now();
        let paths = ["/read", "/add", "/maybe", "/who", "/guarded", "/allowed", "/login", "/logout"];
        let asked = paths.map(|path| (path, bob.clone())).into_iter();
        let asked = asked.chain(["/add", "/login"].map(|path| (path, newcomer.clone())));
        let asked = asked.map(|(path, visitor)| async move { (path, visitor.get(path).await) });
        let waiting = tokio::spawn(join_all(asked));
        // Meanwhile whoever does not use the session does not notice.
        for visitor in [&bob, &newcomer] {
            for _ in 0..5 {
                let answer = visitor.get("/").await;
                assert_eq!((answer.status, &*answer.body), (200, "hello"));
            }
        }
        assert!(!fault.holds_back() || !waiting.is_finished(), "they waited for the deadline of others");
        for (path, answer) in waiting.await.expect("all are answered") {
            assert_unavailable(&answer, path);
        }
        assert!(began.elapsed() < LONG_AFTER_THE_DEADLINE);
        assert_eq!((bob.token(), newcomer.token()), (token, None));
        assert_eq!(bench.gates.noted("let in"), 0, "a handler ran, whatever was answered");

        // A session that may have been stored is removed while nobody waits for it.
        manager.drain().await;
        bench.store.take();
        assert_eq!(bob.get("/").await.status, 200);
        // Who has no cookie is nobody, which needs no store.
        assert_eq!(newcomer.get("/guarded").await.status, 401);
        assert_eq!(bench.store.take().total(), 0);

        fault.end(&bench).await;
        assert_eq!(recovered(&bob, "/read").await.body, "1 [1] None");
        assert_eq!(bob.get("/who").await.body, "bob");
        assert_eq!(bob.get("/guarded").await.body, "let in");
        assert_eq!(bob.get("/add").await.status, 200);
        assert_eq!(bob.get("/read").await.body, "2 [1, 1] None");
        assert_eq!(bob.get("/logout").await.status, 200);
        assert_eq!(bob.token(), None);
        assert_eq!(newcomer.get("/add").await.status, 200);
    }

    async fn while_the_server_is_stopped(kind: ServerKind) {
        outage(Fault::Stopped, kind).await;
    }

    async fn while_the_server_is_killed(kind: ServerKind) {
        outage(Fault::Killed, kind).await;
    }

    async fn while_the_network_refuses(kind: ServerKind) {
        outage(Fault::Refused, kind).await;
    }

    async fn while_the_network_swallows(kind: ServerKind) {
        outage(Fault::Swallowed, kind).await;
    }

    /// The session was loaded, and the store fails when it is to be changed.
    async fn commit_fails(fault: Fault, kind: ServerKind) {
        let bench = fault.bench(kind).await;
        let server = shop(&bench).await;
        let known = async || {
            let visitor = server.visitor();
            assert_eq!(visitor.get("/add").await.status, 200);
            visitor
        };
        let (adds, logs_in, logs_out) = (known().await, known().await, known().await);
        let asked = [
            ("/slow/add", adds.clone()),
            ("/slow/login", logs_in.clone()),
            ("/slow/logout", logs_out.clone()),
            ("/slow/add", server.visitor()),
            ("/slow/login", server.visitor()),
        ];
        let tokens = asked.clone().map(|(_, visitor)| visitor.token());
        let visitors = asked.clone().map(|(_, visitor)| visitor);
        let asked = asked.map(|(path, visitor)| async move { (path, visitor.get(path).await) });
        let waiting = tokio::spawn(join_all(asked));
        bench.gates.arrived("loaded", 5).await;
        fault.begin(&bench).await;
        let began = Instant::now();
        bench.gates.open("loaded", 5);
        for (path, answer) in waiting.await.expect("all are answered") {
            assert_unavailable(&answer, path);
        }
        assert!(began.elapsed() < LONG_AFTER_THE_DEADLINE);
        assert_eq!(visitors.map(|visitor| visitor.token()), tokens);
        fault.end(&bench).await;

        let (before, after) = ("1 [1] None", r#"2 [1, 7] Some("added")"#);
        let read = recovered(&adds, "/read").await.body;
        assert!(read == before || (fault.holds_back() && read == after), "{fault:?}: {read}");
        // A login or logout that was held back counts: then the old token is dead.
        for visitor in [logs_in, logs_out] {
            let read = visitor.get("/read").await.body;
            assert!(read == before || (fault.holds_back() && read == "0 [] None"), "{fault:?}: {read}");
            assert_eq!(visitor.get("/who").await.body, "nobody");
        }
    }

    async fn the_server_is_stopped_before_the_commit(kind: ServerKind) {
        commit_fails(Fault::Stopped, kind).await;
    }

    async fn the_server_is_killed_before_the_commit(kind: ServerKind) {
        commit_fails(Fault::Killed, kind).await;
    }

    async fn the_network_refuses_before_the_commit(kind: ServerKind) {
        commit_fails(Fault::Refused, kind).await;
    }

    async fn the_network_swallows_the_commit(kind: ServerKind) {
        commit_fails(Fault::Swallowed, kind).await;
    }

    async fn the_server_is_restarted_in_the_middle_of_traffic(kind: ServerKind) {
        let bench = Fault::Killed.bench(kind).await;
        let server = shop(&bench).await;
        let mut traffic = Traffic::begin(&server).await;
        traffic.all_get(200).await;
        for fault in [Fault::Killed, Fault::Stopped, Fault::Killed] {
            fault.begin(&bench).await;
            traffic.all_get(503).await;
            fault.end(&bench).await;
            traffic.all_get(200).await;
        }
        // As quickly as it can, in the middle of whatever is under way.
        bench.with_server(|server| server.restart());
        traffic.all_get(200).await;
        traffic.end().await;
    }

    async fn connections_are_lost_in_the_middle_of_traffic(kind: ServerKind) {
        let bench = Fault::Refused.bench(kind).await;
        let server = shop(&bench).await;
        let mut traffic = Traffic::begin(&server).await;
        for _ in 0..10 {
            bench.network().cut().await;
            traffic.all_get(200).await;
        }
        for fault in [Fault::Refused, Fault::Swallowed, Fault::Refused] {
            fault.begin(&bench).await;
            traffic.all_get(503).await;
            fault.end(&bench).await;
            traffic.all_get(200).await;
        }
        traffic.end().await;
    }

    async fn a_connection_that_will_never_answer_is_replaced(kind: ServerKind) {
        let bench = Fault::Swallowed.bench(kind).await;
        let server = shop(&bench).await;
        let visitor = server.visitor();
        assert_eq!(visitor.get("/add").await.status, 200);
        bench.network().strand();
        let answer = visitor.get("/read").await;
        // A pool may just be opening another connection.
        if kind == ServerKind::Redis || answer.status != 200 {
            assert_unavailable(&answer, "/read");
        }
        // Long before the store would give up waiting on the old one.
        assert_eq!(recovered(&visitor, "/read").await.body, "1 [1] None");
    }

    async fn a_touch_that_fails_does_not_fail_the_page(kind: ServerKind) {
        let bench = Fault::Killed.bench(kind).await;
        let server = shop(&bench).await;
        let visitor = server.visitor();
        visitor.get("/add").await;
        bench.clock.advance(Duration::from_secs(120));
        let token = visitor.token();
        let asked = visitor.clone();
        let asked = tokio::spawn(async move { asked.get("/slow/read").await });
        bench.gates.arrived("loaded", 1).await;
        Fault::Killed.begin(&bench).await;
        bench.store.take();
        bench.gates.open("loaded", 1);
        let answer = asked.await.expect("it is answered");
        assert_eq!(bench.store.take().replace, 1, "a touch was due");
        assert_eq!((answer.status, &*answer.body, answer.cookies().len()), (200, "1", 0));
        Fault::Killed.end(&bench).await;
        assert_eq!(recovered(&visitor, "/read").await.body, "1 [1] None");
        assert_eq!(visitor.token(), token);
    }
}
