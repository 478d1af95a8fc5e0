//! Tests of several processes that share a directory.

use sessionkit::SessionData;
use sessionkit::file::FileStore;
use sessionkit::store::Store as _;
use sessionkit_tests::both_frameworks;
use sessionkit_tests::harness::{Bench, Server};
use sessionkit_tests::writer::{Writer, entry, key};

use crate::{WRITER, store};

#[tokio::test]
async fn what_four_processes_add_to_one_entry_adds_up() {
    let (store, directory) = store();
    let key = key(1);
    store.insert(&key, &entry(0)).await.unwrap();
    let path = directory.path().join("sessions");
    let mut writers: Vec<_> = (0..4).map(|_| Writer::start(WRITER, &path)).collect();
    for _ in 0..50 {
        writers.iter_mut().for_each(|writer| writer.send("add 1"));
    }
    for writer in &mut writers {
        for _ in 0..50 {
            assert_eq!(writer.answer(), "done add 1");
        }
    }
    assert_eq!(store.load(&key).await.unwrap().unwrap().bytes(), entry(200).bytes(), "[P2] no addition is lost");
}

#[derive(SessionData)]
struct Shop {
    #[session(merge = add)]
    views: u64,
}

both_frameworks! {
    tests: [two_hundred_requests_of_three_processes_add_up];

    async fn begin(mut shop: Session<Shop>) -> Reply {
        shop.views += 1;
        Reply::ok("begun")
    }

    async fn view(mut shop: Session<Shop>, Shared(gates): Shared) -> Reply {
        shop.views += 1;
        gates.pass("write").await;
        Reply::ok("viewed")
    }

    async fn show(shop: SessionView<Shop>) -> Reply {
        Reply::ok(shop.views)
    }

    async fn two_hundred_requests_of_three_processes_add_up() {
        let (bench, directory) = (Bench::memory(), tempfile::tempdir().expect("there is room for a directory"));
        let mut servers: Vec<Server> = Vec::new();
        for _ in 0..3 {
            let store = FileStore::open(directory.path().join("sessions")).expect("a new directory can be opened");
            let routes = routes!["/begin" => begin, "/view" => view, "/show" => show];
            servers.push(serve_with(&bench, bench.manager_over(store), routes).await);
        }
        let visitor = servers[0].visitor();
        visitor.get("/begin").await;
        let requests: Vec<_> = (0..200)
            .map(|number| {
                let visitor = visitor.at(&servers[number % 3]);
                tokio::spawn(async move { visitor.get("/view").await })
            })
            .collect();
        bench.gates.arrived("write", 200).await;
        bench.gates.open("write", 200);
        for request in requests {
            let answer = request.await.expect("it is answered");
            assert_eq!(answer.status, 200, "{answer:?}");
        }
        assert_eq!(visitor.get("/show").await.body, "201", "[P2]");
    }
}
