//! Two hundred requests of one session that write at once, in one process and in three: all are acknowledged, none is lost.

use std::sync::Arc;

use sessionkit::SessionData;
use sessionkit_tests::behaviour_everywhere;
use sessionkit_tests::harness::{Bench, Server, Visitor};

#[derive(SessionData)]
struct Shop {
    #[session(entries)]
    notes: std::collections::BTreeMap<u32, u32>,
    #[session(merge = add)]
    views: u64,
    #[session(merge = append)]
    history: Vec<u32>,
}

behaviour_everywhere! {
    tests: [
        two_hundred_writers_of_different_fields,
        two_hundred_additions,
        fifty_appends,
    ];

    async fn begin(mut shop: Session<Shop>) -> Reply {
        shop.notes.insert(1000, 1);
        Reply::ok("begun")
    }

    async fn note(mut shop: Session<Shop>, Shared(gates): Shared, number: Body) -> Reply {
        shop.notes.insert(number.parse().unwrap(), 1);
        gates.pass("write").await;
        Reply::ok("noted")
    }

    async fn view(mut shop: Session<Shop>, Shared(gates): Shared) -> Reply {
        shop.views += 1;
        gates.pass("write").await;
        Reply::ok("viewed")
    }

    async fn append(mut shop: Session<Shop>, Shared(gates): Shared, number: Body) -> Reply {
        shop.history.push(number.parse().unwrap());
        gates.pass("write").await;
        Reply::ok("appended")
    }

    async fn show(shop: SessionView<Shop>) -> Reply {
        Reply::ok(format!("{} {} {}", shop.notes.len() - 1, shop.views, shop.history.len()))
    }

    /// Servers with a manager each, which know nothing of each other.
    async fn start(bench: &Bench, processes: usize) -> Vec<Server> {
        let mut servers = Vec::new();
        for _ in 0..processes {
            let routes = routes![
                "/begin" => begin, "/note" => note, "/view" => view, "/append" => append, "/show" => show,
            ];
            servers.push(serve_with(bench, bench.manager(), routes).await);
        }
        servers
    }

    /// Lets all requests load the session, then write at once. Returns what is stored, and how many calls the writes took.
    async fn write_at_once(bench: &Bench, processes: usize, path: &'static str, requests: u32) -> (String, usize) {
        let servers = Arc::new(start(bench, processes).await);
        let visitor = servers[0].visitor();
        visitor.get("/begin").await;
        let write = |number: u32| {
            let visitor: Visitor = visitor.at(&servers[number as usize % processes]);
            tokio::spawn(async move { visitor.post(path, &number.to_string()).await })
        };
        let under_way: Vec<_> = (0..requests).map(write).collect();
        bench.gates.arrived("write", requests).await;
        bench.store.take();
        bench.gates.open("write", requests as usize);
        for request in under_way {
            let answer = request.await.unwrap();
            assert_eq!(answer.status, 200, "{answer:?}");
        }
        let calls = bench.store.take();
        (visitor.get("/show").await.body, calls.total())
    }

    async fn assert_all(bench: &Bench, path: &'static str, requests: u32, expected: &str) {
        for processes in [1, 3] {
            let (stored, calls) = write_at_once(bench, processes, path, requests).await;
            assert_eq!(stored, expected, "[P2] {processes} processes");
            // Each tries alone first; after that the queue of each process commits for all who wait in it.
            assert!(calls <= 2 * requests as usize + 20, "{calls} calls of {requests} requests in {processes} processes");
        }
    }

    async fn two_hundred_writers_of_different_fields(bench: Bench) {
        assert_all(&bench, "/note", 200, "200 0 0").await;
    }

    async fn two_hundred_additions(bench: Bench) {
        assert_all(&bench, "/view", 200, "0 200 0").await;
    }

    async fn fifty_appends(bench: Bench) {
        assert_all(&bench, "/append", 50, "0 0 50").await;
    }
}
