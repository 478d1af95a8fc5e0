//! A server that comes back with an older state than the one that the application has seen.

use sessionkit::redis::RedisStore;
use sessionkit_tests::harness::fault::recovered;
use sessionkit_tests::harness::{Bench, Log, Server, Traffic};
use sessionkit_tests::servers::redis::RedisServer;
use tokio::task::block_in_place;

use crate::shop::{bench, in_a_shop};

in_a_shop! {
    actix: [
        after_a_step_back_all_goes_on_from_there,
        a_request_that_has_seen_more_than_there_is_changes_nothing,
    ];

    async fn slow_add(mut cart: Session<crate::shop::Cart>, Shared(gates): Shared) -> Reply {
        cart.views += 1;
        gates.pass("add").await;
        Reply::ok("added")
    }

    async fn after_a_step_back_all_goes_on_from_there() {
        let mut redis = RedisServer::start();
        let server = shop(&bench(RedisStore::connect(&redis.url()).await.unwrap())).await;
        let mut traffic = Traffic::begin(&server).await;
        let (ada, bob) = (server.visitor(), server.visitor());
        assert_eq!(ada.post("/login", "ada").await.status, 200);
        let ada_before = ada.fork();
        traffic.all_get(200).await;
        assert_eq!(redis.cli(&["SAVE"]), "OK");
        assert_eq!(ada.get("/logout").await.status, 200);
        assert_eq!(bob.post("/login", "bob").await.status, 200);
        traffic.all_get(200).await;
        traffic.all_get(200).await;
        block_in_place(|| redis.restart());
        traffic.all_get(200).await;
        let lost = traffic.end_with_losses().await.lost;
        assert!(lost >= 4, "{lost}: each visitor was answered after the dump");
        // As the guide says: what happened since is undone.
        assert_eq!(recovered(&ada_before, "/who").await.body, "ada");
        assert_eq!(bob.get("/who").await.body, "nobody");
        assert_eq!(bob.post("/login", "bob").await.status, 200);
        assert_eq!((ada_before.get("/logout").await.status, &*bob.get("/who").await.body), (200, "bob"));
    }

    async fn a_request_that_has_seen_more_than_there_is_changes_nothing() {
        let (mut redis, log) = (RedisServer::start(), Log::collect());
        let bench = bench(RedisStore::connect(&redis.url()).await.unwrap());
        let routes = routes!["/add" => add, "/slow" => slow_add, "/views" => views];
        let server = serve(&bench, routes).await;
        let ada = server.visitor();
        assert_eq!(ada.get("/add").await.status, 200);
        assert_eq!(redis.cli(&["SAVE"]), "OK");
        for _ in 0..3 {
            assert_eq!(ada.get("/add").await.status, 200);
        }
        let slow = ada.get_in_background("/slow");
        bench.gates.arrived("add", 1).await;
        block_in_place(|| redis.restart());
        bench.gates.open("add", 1);
        let answer = slow.await.unwrap();
        assert_eq!(answer.cookies(), [""; 0]);
        assert_eq!(recovered(&ada, "/views").await.body, "1", "{answer:?}");
        assert!(log.text().contains("store_went_back"), "{}", log.text());
        assert_eq!((ada.get("/add").await.status, &*ada.get("/views").await.body), (200, "2"));
    }
}
