//! Connections that are lost, servers that hang, and clients that leave.

use sessionkit::SessionManager;
use sessionkit::testing::CountingStore;
use sessionkit_tests::both_frameworks;
use sessionkit_tests::harness::fault::{Fault, assert_unavailable, recovered};
use sessionkit_tests::harness::{Answer, Bench, HeldStore, Server, ServerKind, TestStore, Visitor};
use tokio::task::JoinHandle;

use crate::shop::{Cart, redis};

type Held = HeldStore<CountingStore<TestStore>>;

both_frameworks! {
    tests: [
        connections_that_were_killed_are_not_noticed_by_readers,
        connections_are_killed_before_commits,
        a_read_under_way_survives_the_loss_of_its_connection,
        a_commit_whose_answer_is_lost_is_not_repeated,
        scripts_that_were_flushed_come_back,
        who_leaves_while_redis_hangs_leaves_no_answer_to_others,
        who_leaves_in_mid_commit_leaves_no_half_commit,
    ];

    crate::shop::handlers!();

    async fn connections_that_were_killed_are_not_noticed_by_readers() {
        let bench = Bench::redis();
        let (_server, visitor) = shop_with_visitor(&bench).await;
        for _ in 0..10 {
            redis(&bench, &["CLIENT", "KILL", "TYPE", "normal"]);
            assert_eq!(visitor.get("/read").await.body, "1 [1] ada");
        }
    }

    async fn connections_are_killed_before_commits() {
        let bench = Bench::redis();
        let (_server, visitor) = shop_with_visitor(&bench).await;
        let kill = || drop(redis(&bench, &["CLIENT", "KILL", "TYPE", "normal"]));
        let answer = before_the_commit("/slow", &visitor, &bench, kill).await;
        let read = recovered(&visitor, "/read").await.body;
        let (before, after) = ("1 [1] ada", "2 [1, 2] bob");
        if answer.status == 200 {
            assert_eq!(read, after);
        } else {
            assert_unavailable(&answer, "/slow");
            assert!(read == before || read == after, "{read}");
        }
        assert_eq!(visitor.get("/allowed").await.body, "let in");
    }

    /// Begins a request, does something before it comes to the gate's call, and waits until that is under way.
    async fn under_way(
        path: &'static str,
        gate: &'static str,
        visitor: &Visitor,
        (bench, held): (&Bench, &Held),
        happens: impl FnOnce(),
    ) -> JoinHandle<Answer> {
        held.hold(gate);
        let asked = visitor.clone();
        let asked = tokio::spawn(async move { asked.get(path).await });
        bench.gates.arrived(gate, 1).await;
        happens();
        held.release(gate);
        bench.gates.open(gate, 1);
        // Other requests give the call the time to be sent; were it not, the test would show less, not fail.
        for _ in 0..3 {
            visitor.get("/").await;
        }
        asked
    }

    async fn a_read_under_way_survives_the_loss_of_its_connection() {
        let bench = Bench::proxied(ServerKind::Redis).await;
        let held = HeldStore::new(bench.store.clone(), &bench.gates);
        let server = shop(&bench, bench.manager_over(held.clone())).await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        for _ in 0..3 {
            let swallow = || bench.network().blackhole(true);
            let asked = under_way("/read", "before load", &visitor, (&bench, &held), swallow).await;
            bench.network().cut().await;
            bench.network().blackhole(false);
            assert_eq!(asked.await.expect("it is answered").body, "1 [1] ada");
        }
    }

    async fn a_commit_whose_answer_is_lost_is_not_repeated() {
        let bench = Bench::proxied(ServerKind::Redis).await;
        let held = HeldStore::new(bench.store.clone(), &bench.gates);
        let server = shop(&bench, bench.manager_over(held.clone())).await;
        for _ in 0..3 {
            let visitor = server.visitor();
            visitor.get("/login").await;
            // What is sent after this is done later, by a server that has nobody to answer to.
            let stop = || bench.with_redis(|redis| redis.pause());
            let asked = under_way("/add", "before replace", &visitor, (&bench, &held), stop).await;
            bench.network().cut().await;
            bench.with_redis(|redis| redis.resume());
            let answer = asked.await.expect("it is answered");
            let read = recovered(&visitor, "/read").await.body;
            if answer.status == 200 {
                assert_eq!(read, "2 [1] ada");
            } else {
                assert_unavailable(&answer, "/add");
                assert!(read == "1 [1] ada" || read == "2 [1] ada", "{read}");
            }
        }
    }

    async fn scripts_that_were_flushed_come_back() {
        let bench = Bench::redis();
        let (server, visitor) = shop_with_visitor(&bench).await;
        let flush = || assert_eq!(redis(&bench, &["SCRIPT", "FLUSH", "SYNC"]), "OK");
        flush();
        assert_eq!(visitor.get("/add").await.status, 200);
        let answer = before_the_commit("/slow", &visitor, &bench, flush).await;
        assert_eq!(answer.status, 200);
        assert_eq!(visitor.get("/read").await.body, "3 [1, 2] bob");
        flush();
        assert_eq!(server.visitor().get("/add").await.status, 200);
        assert_eq!(before_the_commit("/slow-login", &visitor, &bench, flush).await.status, 200);
        assert_eq!(visitor.get("/allowed").await.body, "let in");
    }

    async fn who_leaves_while_redis_hangs_leaves_no_answer_to_others() {
        let bench = Fault::Stopped.bench(ServerKind::Redis).await;
        let held = HeldStore::new(bench.store.clone(), &bench.gates);
        let server = shop(&bench, bench.manager_over(held.clone())).await;
        let people: Vec<Visitor> = (0..6).map(|_| server.visitor()).collect();
        for (number, visitor) in people.iter().enumerate() {
            for _ in 0..=number {
                visitor.get("/own").await;
            }
        }
        let (leave, stay) = people.split_at(4);
        Fault::Stopped.begin(&bench).await;
        held.hold("before load");
        let mut requests = Vec::new();
        for visitor in leave {
            requests.push(visitor.begin("/own").await);
        }
        bench.gates.arrived("before load", 4).await;
        held.release("before load");
        bench.gates.open("before load", 4);
        for request in &mut requests {
            request.leave(DROPS_HANDLERS).await;
        }
        Fault::Stopped.end(&bench).await;
        for (number, visitor) in stay.iter().enumerate() {
            for more in 0..5 {
                let own = "!".repeat(number + 6 + more);
                assert_eq!(recovered(visitor, "/own").await.body, own);
            }
        }
        for mut request in requests {
            request.rest().await;
        }
        for (number, visitor) in leave.iter().enumerate() {
            let own = visitor.get("/read").await.body;
            let (least, most) = (number + 1, number + 1 + usize::from(!DROPS_HANDLERS));
            let marks = own.trim_start_matches("0 [] ");
            assert!((least..=most).contains(&marks.len()) && marks.trim_matches('!').is_empty(), "{number}: {own}");
        }
    }

    async fn who_leaves_in_mid_commit_leaves_no_half_commit() {
        let bench = Fault::Stopped.bench(ServerKind::Redis).await;
        let held = HeldStore::new(bench.store.clone(), &bench.gates);
        let manager = bench.manager_over(held.clone());
        let server = shop(&bench, manager.clone()).await;
        let visitor = server.visitor();
        visitor.get("/login").await;
        bench.gates.open("loaded", 1);
        held.hold("before replace");
        let mut request = visitor.begin("/slow").await;
        bench.gates.arrived("before replace", 1).await;
        held.release("before replace");
        Fault::Stopped.begin(&bench).await;
        bench.gates.open("before replace", 1);
        request.leave(DROPS_HANDLERS).await;
        Fault::Stopped.end(&bench).await;
        manager.drain().await;
        let read = recovered(&visitor, "/read").await.body;
        assert!(["1 [1] ada", "2 [1, 2] bob"].contains(&&*read), "{read}");
        assert_eq!(visitor.get("/add").await.status, 200);
    }
}
