//! A Redis that is stopped, killed, restarted or cut off in the middle of traffic.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use sessionkit::{SessionData, SessionManager};
use sessionkit_tests::both_frameworks;
use sessionkit_tests::harness::fault::{Fault, assert_unavailable, recovered};
use sessionkit_tests::harness::{Bench, Server, Visitor};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::timeout;

#[derive(SessionData)]
struct Cart {
    items: Vec<u32>,
    #[session(merge = add)]
    views: u64,
    #[session(flash)]
    notice: Option<String>,
}

/// The time in which every request must be answered. The store alone would wait twice as long: see
/// [`Bench::persistent_redis`].
const LONG_AFTER_THE_DEADLINE: Duration = Duration::from_secs(30);

/// Visitors who keep asking for `/add`.
struct Traffic {
    stop: Arc<AtomicBool>,
    answers: UnboundedReceiver<(usize, u16)>,
    visitors: Vec<JoinHandle<(Visitor, u64, u64)>>,
}

impl Traffic {
    async fn begin(server: &Server) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (tell, answers) = unbounded_channel();
        let mut visitors = Vec::new();
        for number in 0..4 {
            let (visitor, stop, tell) = (server.visitor(), stop.clone(), tell.clone());
            assert_eq!(visitor.get("/add").await.status, 200);
            let token = visitor.token();
            visitors.push(tokio::spawn(async move {
                let (mut acknowledged, mut refused) = (1, 0);
                while !stop.load(Ordering::SeqCst) {
                    let answer = visitor.get("/add").await;
                    match answer.status {
                        200 => acknowledged += 1,
                        _ => {
                            assert_unavailable(&answer, "/add");
                            refused += 1;
                        }
                    }
                    assert_eq!(visitor.token(), token, "nobody is logged out");
                    let _ = tell.send((number, answer.status));
                }
                (visitor, acknowledged, refused)
            }));
        }
        Self { stop, answers, visitors }
    }

    /// Waits until each visitor has got this status.
    async fn all_get(&mut self, status: u16) {
        while self.answers.try_recv().is_ok() {}
        let mut waiting: Vec<usize> = (0..self.visitors.len()).collect();
        let all = async {
            while !waiting.is_empty() {
                let (number, got) = self.answers.recv().await.expect("the visitors go on");
                waiting.retain(|waiting| got != status || *waiting != number);
            }
        };
        let all = timeout(Duration::from_secs(60), all).await;
        assert!(all.is_ok(), "the visitors {waiting:?} get no {status}");
    }

    /// Ends the traffic, and compares what was answered with what is stored.
    async fn end(self) {
        self.stop.store(true, Ordering::SeqCst);
        for visitor in self.visitors {
            let (visitor, acknowledged, refused) = visitor.await.expect("every answer was right");
            let views: u64 = recovered(&visitor, "/views").await.body.parse().expect("a number");
            assert!(acknowledged <= views, "{acknowledged} acknowledged, {views} stored");
            assert!(views <= acknowledged + refused, "{acknowledged} and {refused} attempts, {views} stored");
        }
    }
}

both_frameworks! {
    tests: [
        while_redis_is_stopped,
        while_redis_is_killed,
        while_the_network_refuses,
        while_the_network_swallows,
        redis_is_stopped_before_the_commit,
        redis_is_killed_before_the_commit,
        the_network_refuses_before_the_commit,
        the_network_swallows_the_commit,
        redis_is_restarted_in_the_middle_of_traffic,
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

    async fn outage(fault: Fault) {
        let bench = fault.bench().await;
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

    async fn while_redis_is_stopped() {
        outage(Fault::Stopped).await;
    }

    async fn while_redis_is_killed() {
        outage(Fault::Killed).await;
    }

    async fn while_the_network_refuses() {
        outage(Fault::Refused).await;
    }

    async fn while_the_network_swallows() {
        outage(Fault::Swallowed).await;
    }

    /// The session was loaded, and the store fails when it is to be changed.
    async fn commit_fails(fault: Fault) {
        let bench = fault.bench().await;
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

    async fn redis_is_stopped_before_the_commit() {
        commit_fails(Fault::Stopped).await;
    }

    async fn redis_is_killed_before_the_commit() {
        commit_fails(Fault::Killed).await;
    }

    async fn the_network_refuses_before_the_commit() {
        commit_fails(Fault::Refused).await;
    }

    async fn the_network_swallows_the_commit() {
        commit_fails(Fault::Swallowed).await;
    }

    async fn redis_is_restarted_in_the_middle_of_traffic() {
        let bench = Fault::Killed.bench().await;
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
        bench.with_redis(|redis| redis.restart());
        traffic.all_get(200).await;
        traffic.end().await;
    }

    async fn connections_are_lost_in_the_middle_of_traffic() {
        let bench = Fault::Refused.bench().await;
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

    async fn a_connection_that_will_never_answer_is_replaced() {
        let bench = Fault::Swallowed.bench().await;
        let server = shop(&bench).await;
        let visitor = server.visitor();
        assert_eq!(visitor.get("/add").await.status, 200);
        bench.network().strand();
        assert_unavailable(&visitor.get("/read").await, "/read");
        // Long before the store would give up waiting on the old one.
        assert_eq!(recovered(&visitor, "/read").await.body, "1 [1] None");
    }

    async fn a_touch_that_fails_does_not_fail_the_page() {
        let bench = Fault::Killed.bench().await;
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
