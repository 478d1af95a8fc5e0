//! Tests of requests that come with one session of another system at once, to one server or to two.

use std::time::Duration;

use serde_json::json;
use sessionkit::SessionManager;
use sessionkit_tests::behaviour;
use sessionkit_tests::harness::{Bench, HeldStore, Server};

use crate::old::{Cart, OldApp, ada, manager, migration, sign, with_migration};

behaviour! {
    tests: [
        parallel_requests_make_one_session,
        a_request_whose_server_is_gone_is_taken_up,
        a_client_that_leaves_is_taken_over_all_the_same,
        a_logout_comes_before_a_session_that_is_being_made,
        an_end_of_all_comes_before_a_session_that_is_being_made,
        devices_are_not_crowded_out,
    ];

    type Answered = Result<Reply, SessionRejection>;

    async fn add(mut cart: Session<Cart>, auth: Auth) -> Answered {
        let user = auth.user_id().await?;
        cart.items.push(7);
        Ok(Reply::ok(user.as_deref().unwrap_or("nobody")))
    }

    async fn view(cart: Session<Cart>, auth: Auth) -> Answered {
        let user = auth.user_id().await?;
        Ok(Reply::ok(format!("{} {:?}", user.as_deref().unwrap_or("nobody"), cart.items)))
    }

    async fn logout(auth: Auth) -> Answered {
        auth.logout().await?;
        Ok(Reply::ok("logged out"))
    }

    async fn start(bench: &Bench, manager: SessionManager) -> Server {
        serve_with(bench, manager, routes!["/add" => add, "/view" => view, "/logout" => logout]).await
    }

    async fn parallel_requests_make_one_session(bench: Bench) {
        let old = OldApp::default();
        let servers = [start(&bench, manager(&bench, &old)).await, start(&bench, manager(&bench, &old)).await];
        let browser = servers[0].visitor();
        old.begin(&browser, "s-1", ada());
        let tabs: Vec<_> = (0..12).map(|number| browser.fork().at(&servers[number % 2])).collect();
        let answers: Vec<_> = tabs.iter().map(|tab| tab.get_in_background("/add")).collect();
        for answer in answers {
            let answer = answer.await.unwrap();
            assert_eq!((answer.status, &*answer.body), (200, "ada"));
        }
        let tokens: Vec<_> = tabs.iter().map(|tab| tab.token()).collect();
        assert!(tokens.iter().all(|token| token.is_some() && *token == tokens[0]), "all got the same token");
        assert_eq!(bench.sessions(), 1);
        let shown = tabs[3].get("/view").await.body;
        assert_eq!(shown.matches('7').count(), 12, "nothing is lost: {shown}");
    }

    async fn a_request_whose_server_is_gone_is_taken_up(bench: Bench) {
        let old = OldApp::default();
        let held = HeldStore::new(bench.store.clone(), &bench.gates);
        let first = start(&bench, with_migration(bench.builder_over(held.clone()), migration(&bench, &old))).await;
        let second = start(&bench, manager(&bench, &old)).await;
        let browser = first.visitor();
        old.begin(&browser, "s-1", ada());
        held.hold("before insert");
        let (slow, next) = (browser.fork(), browser.fork().at(&second));
        let answer = slow.get_in_background("/view");
        bench.gates.arrived("before insert", 1).await;
        // The claim lapses while its server hangs.
        bench.clock.advance(Duration::from_secs(3_600));
        assert_eq!(next.get("/view").await.body, "ada [1, 2]");
        held.release("before insert");
        bench.gates.open("before insert", 1);
        let answer = answer.await.unwrap();
        assert_eq!((answer.status, &*answer.body), (200, "ada [1, 2]"), "it finds the other's: {answer:?}");
        assert_eq!((slow.token(), bench.sessions()), (next.token(), 1));
    }

    async fn a_client_that_leaves_is_taken_over_all_the_same(bench: Bench) {
        let old = OldApp::default();
        let held = HeldStore::new(bench.store.clone(), &bench.gates);
        let server = start(&bench, with_migration(bench.builder_over(held.clone()), migration(&bench, &old))).await;
        let browser = server.visitor();
        old.begin(&browser, "s-1", ada());
        held.hold("before insert");
        let gone = browser.fork().get_in_background("/view");
        bench.gates.arrived("before insert", 1).await;
        gone.abort();
        let _ = gone.await;
        held.release("before insert");
        bench.gates.open("before insert", 1);
        assert_eq!(browser.get("/view").await.body, "ada [1, 2]");
        assert_eq!(bench.sessions(), 1);
    }

    async fn a_logout_comes_before_a_session_that_is_being_made(bench: Bench) {
        let old = OldApp::default();
        let held = HeldStore::new(bench.store.clone(), &bench.gates);
        let first = start(&bench, with_migration(bench.builder_over(held.clone()), migration(&bench, &old))).await;
        let second = start(&bench, manager(&bench, &old)).await;
        let browser = first.visitor();
        sign(&bench, &browser, ada());
        held.hold("before insert");
        let slow = browser.fork();
        let answer = slow.get_in_background("/view");
        bench.gates.arrived("before insert", 1).await;
        // On the other server: the request finds the claim, waits for it, and ends what comes of it.
        let logout = browser.at(&second);
        bench.clock.advance(Duration::from_secs(3_600));
        assert_eq!(logout.get("/logout").await.body, "logged out");
        held.release("before insert");
        bench.gates.open("before insert", 1);
        assert_eq!(answer.await.unwrap().body, "nobody []");
        assert_eq!((slow.get("/view").await.body, bench.sessions()), ("nobody []".to_owned(), 0));
    }

    async fn an_end_of_all_comes_before_a_session_that_is_being_made(bench: Bench) {
        let bench = bench.with_config(|config| config.track_devices(true));
        let old = OldApp::default();
        let held = HeldStore::new(bench.store.clone(), &bench.gates);
        let server = start(&bench, with_migration(bench.builder_over(held.clone()), migration(&bench, &old))).await;
        let browser = server.visitor();
        old.begin(&browser, "s-1", json!({"user_id": "ada"}));
        held.hold("before load of a list");
        let answer = browser.get_in_background("/view");
        bench.gates.arrived("before load of a list", 1).await;
        manager(&bench, &old).devices_of("ada").end_all().await.unwrap();
        held.release("before load of a list");
        bench.gates.open("before load of a list", 1);
        let answer = answer.await.unwrap();
        assert_eq!((answer.status, &*answer.body), (200, "nobody []"), "{answer:?}");
        assert_eq!((browser.get("/view").await.body, bench.sessions()), ("nobody []".to_owned(), 0));
    }

    async fn devices_are_not_crowded_out(bench: Bench) {
        let bench = bench.with_config(|config| config.track_devices(true).max_devices(2));
        let old = OldApp::default();
        let server = start(&bench, manager(&bench, &old)).await;
        let (desk, phone) = (server.visitor(), server.visitor());
        old.begin(&desk, "s-1", ada());
        old.begin(&phone, "s-2", ada());
        desk.get("/view").await;
        let tabs: Vec<_> = (0..8).map(|_| phone.fork()).collect();
        let answers: Vec<_> = tabs.iter().map(|tab| tab.get_in_background("/view")).collect();
        for answer in answers {
            assert_eq!(answer.await.unwrap().body, "ada [1, 2]");
        }
        assert_eq!(desk.get("/view").await.body, "ada [1, 2]", "it was not the oldest of many");
        assert_eq!(bench.listed("ada").await.len(), 2);
    }
}
