//! Clients that leave before they are answered: axum drops their handlers, actix-web runs them to their end.

use std::time::Duration;

use futures_util::FutureExt as _;
use sessionkit::testing::CountingStore;
use sessionkit::{SessionData, SessionManager};
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, HeldStore, Server, TestStore, Visitor};
use tokio::time::timeout;

type Held = HeldStore<CountingStore<TestStore>>;

#[derive(SessionData)]
struct Cart {
    items: Vec<u32>,
    note: String,
}

behaviour! {
    tests: [
        who_left_and_logged_out_stays_logged_out,
        who_leaves_before_the_end_of_a_handler_that_is_dropped_changes_nothing,
        a_login_holds_though_its_client_left,
        a_first_login_holds_though_its_client_left,
        a_login_whose_client_left_shuts_out_what_was_loaded_before,
        a_rotation_holds_though_its_client_left,
        a_logout_holds_though_its_client_left,
        a_commit_that_has_begun_completes,
        a_first_commit_that_has_begun_completes,
        draining_waits_for_nobody_when_nothing_runs,
    ];

    async fn add(mut cart: Session<Cart>) -> Reply {
        cart.items.push(1);
        cart.note = format!("{} items", cart.items.len());
        Reply::ok(&cart.note)
    }

    async fn read(cart: SessionView<Cart>) -> Reply {
        Reply::ok(format!("{:?} {}", cart.items, cart.note))
    }

    /// Holds the struct while it waits.
    async fn holding(mut cart: Session<Cart>, shared: Shared) -> Reply {
        cart.items.push(7);
        shared.0.pass("handler").await;
        Reply::ok("done")
    }

    /// Has given the struct back when it waits.
    async fn gave_back(mut cart: Session<Cart>, shared: Shared) -> Reply {
        cart.items.push(7);
        drop(cart);
        shared.0.pass("handler").await;
        Reply::ok("done")
    }

    async fn who(auth: Auth) -> Result<Reply, SessionRejection> {
        Ok(Reply::ok(auth.user_id().await?.as_deref().unwrap_or("nobody")))
    }

    async fn login(auth: Auth) -> Result<Reply, SessionRejection> {
        auth.login("ada").await?;
        Ok(Reply::ok("welcome"))
    }

    async fn rotate(auth: Auth) -> Result<Reply, SessionRejection> {
        auth.rotate().await?;
        Ok(Reply::ok("rotated"))
    }

    async fn logout(auth: Auth) -> Result<Reply, SessionRejection> {
        auth.logout().await?;
        Ok(Reply::ok("bye"))
    }

    /// A server over a store that can be held, and everything to wait for its end.
    async fn held_server(bench: &Bench) -> (Server, Held, SessionManager) {
        let held = HeldStore::new(bench.store.clone(), &bench.gates);
        let manager = bench.manager_over(held.clone());
        let routes = routes![
            "/add" => add, "/read" => read, "/holding" => holding, "/gave-back" => gave_back,
            "/who" => who, "/login" => login, "/rotate" => rotate, "/logout" => logout,
        ];
        (serve_with(bench, manager.clone(), routes).await, held, manager)
    }

    /// Begins a request that comes to a gate of the store, leaves, lets the call go on, and waits for its end. Returns
    /// what was answered even so.
    async fn leave_at(
        gate: &'static str,
        path: &str,
        visitor: &Visitor,
        (bench, held, manager): (&Bench, &Held, &SessionManager),
    ) -> String {
        held.hold(gate);
        let mut request = visitor.begin(path).await;
        bench.gates.arrived(gate, 1).await;
        held.release(gate);
        request.leave(DROPS_HANDLERS).await;
        let mut drained = std::pin::pin!(manager.drain());
        assert!(drained.as_mut().now_or_never().is_none(), "a call has begun and is not done");
        bench.gates.open(gate, 1);
        timeout(Duration::from_secs(60), drained).await.expect("the call is done");
        request.rest().await
    }

    async fn who_left_and_logged_out_stays_logged_out(bench: Bench) {
        let (server, ..) = held_server(&bench).await;
        for path in ["/holding", "/gave-back"] {
            let visitor = server.visitor();
            visitor.get("/login").await;
            visitor.get("/add").await;
            let thief = visitor.fork();

            let mut request = visitor.begin(path).await;
            bench.gates.arrived("handler", 1).await;
            request.leave(DROPS_HANDLERS).await;
            assert_eq!(visitor.get("/logout").await.body, "bye");
            if !DROPS_HANDLERS {
                bench.gates.open("handler", 1);
                let answer = request.rest().await.to_ascii_lowercase();
                assert!(answer.starts_with("http/1.1 200") && answer.ends_with("done"), "{path}: {answer}");
                assert!(!answer.contains("set-cookie"), "{path}: {answer}");
            }
            assert_eq!(thief.get("/who").await.body, "nobody", "{path}");
            assert_eq!(thief.get("/read").await.body, "[] ", "{path}");
            assert_eq!(bench.sessions(), 0, "{path}");
        }
    }

    async fn who_leaves_before_the_end_of_a_handler_that_is_dropped_changes_nothing(bench: Bench) {
        let (server, ..) = held_server(&bench).await;
        for path in ["/holding", "/gave-back"] {
            let visitor = server.visitor();
            visitor.get("/add").await;
            bench.store.take();

            let mut request = visitor.begin(path).await;
            bench.gates.arrived("handler", 1).await;
            request.leave(DROPS_HANDLERS).await;
            if !DROPS_HANDLERS {
                bench.gates.open("handler", 1);
                request.rest().await;
            }
            assert_eq!(bench.store.take().replace, usize::from(!DROPS_HANDLERS), "{path}");
            let kept = if DROPS_HANDLERS { "[1] 1 items" } else { "[1, 7] 1 items" };
            assert_eq!(visitor.get("/read").await.body, kept, "{path}");
        }
    }

    async fn a_login_holds_though_its_client_left(bench: Bench) {
        let (server, held, manager) = held_server(&bench).await;
        for (sessions, gate) in ["before replace", "after replace"].into_iter().enumerate() {
            let visitor = server.visitor();
            visitor.get("/add").await;
            let answer = leave_at(gate, "/login", &visitor, (&bench, &held, &manager)).await;
            assert_eq!(answer.contains("set-cookie"), !DROPS_HANDLERS, "{answer}");

            // The token of before is dead, and the record whole: whose it is, and what was in it.
            assert_eq!(visitor.get("/who").await.body, "nobody", "{gate}");
            assert_eq!(visitor.get("/read").await.body, "[] ", "{gate}");
            assert_eq!(bench.sessions(), sessions + 1, "{gate}");
            let dump = bench.dump();
            for held in ["ada", "cart.items", "cart.note", "1 items"] {
                assert!(dump.contains(held), "{gate}: {held} in {dump}");
            }
        }
    }

    async fn a_first_login_holds_though_its_client_left(bench: Bench) {
        let (server, held, manager) = held_server(&bench).await;
        for (sessions, gate) in ["before insert", "after insert"].into_iter().enumerate() {
            let visitor = server.visitor();
            leave_at(gate, "/login", &visitor, (&bench, &held, &manager)).await;
            assert_eq!(bench.sessions(), sessions + 1, "{gate}");
            assert!(bench.dump().contains("ada"), "{gate}");
            // The browser has no token, so it is nobody, and can log in.
            assert_eq!(visitor.get("/who").await.body, "nobody", "{gate}");
            visitor.get("/login").await;
            assert_eq!(visitor.get("/who").await.body, "ada", "{gate}");
            visitor.get("/logout").await;
        }
    }

    async fn a_login_whose_client_left_shuts_out_what_was_loaded_before(bench: Bench) {
        let (server, held, manager) = held_server(&bench).await;
        let visitor = server.visitor();
        visitor.get("/add").await;
        let slow = visitor.clone();
        let slow = tokio::spawn(async move { slow.get("/holding").await });
        bench.gates.arrived("handler", 1).await;
        leave_at("after replace", "/login", &visitor, (&bench, &held, &manager)).await;
        bench.gates.open("handler", 1);
        let answer = slow.await.expect("the request is answered");
        assert_eq!((answer.status, answer.cookies().len()), (200, 0));
        assert!(!bench.dump().contains("[1,7]"), "a write of before the login was stored after it");
    }

    async fn a_rotation_holds_though_its_client_left(bench: Bench) {
        let (server, held, manager) = held_server(&bench).await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        leave_at("before replace", "/rotate", &visitor, (&bench, &held, &manager)).await;
        assert_eq!(visitor.get("/who").await.body, "nobody");
        assert_eq!(bench.sessions(), 1);
    }

    async fn a_logout_holds_though_its_client_left(bench: Bench) {
        let (server, held, manager) = held_server(&bench).await;
        for gate in ["before remove", "after remove"] {
            let visitor = server.visitor();
            visitor.get("/login").await;
            leave_at(gate, "/logout", &visitor, (&bench, &held, &manager)).await;
            assert_eq!(visitor.get("/who").await.body, "nobody", "{gate}");
            assert_eq!(bench.sessions(), 0, "{gate}");
        }
    }

    async fn a_commit_that_has_begun_completes(bench: Bench) {
        let (server, held, manager) = held_server(&bench).await;
        for gate in ["before replace", "after replace"] {
            let visitor = server.visitor();
            visitor.get("/add").await;
            leave_at(gate, "/add", &visitor, (&bench, &held, &manager)).await;
            assert_eq!(visitor.get("/read").await.body, "[1, 1] 2 items", "{gate}");
        }
    }

    async fn a_first_commit_that_has_begun_completes(bench: Bench) {
        let (server, held, manager) = held_server(&bench).await;
        for (sessions, gate) in ["before insert", "after insert"].into_iter().enumerate() {
            leave_at(gate, "/add", &server.visitor(), (&bench, &held, &manager)).await;
            assert_eq!(bench.sessions(), sessions + 1, "{gate}");
        }
        assert!(bench.dump().contains("1 items"));
    }

    async fn draining_waits_for_nobody_when_nothing_runs(bench: Bench) {
        let (server, _, manager) = held_server(&bench).await;
        assert!(manager.drain().now_or_never().is_some());
        server.visitor().get("/add").await;
        manager.drain().await;
        // It is no end: what comes later is served.
        assert_eq!(server.visitor().get("/add").await.status, 200);
    }
}
