//! A master that sentinels watch, and that fails.

use std::time::Duration;

use sessionkit::redis::RedisStore;
use sessionkit::store::{EntryKey, SessionId, Store};
use sessionkit_tests::harness::fault::assert_unavailable;
use sessionkit_tests::harness::{Bench, Server, Traffic};
use sessionkit_tests::servers::redis_sentinel::RedisSentinels;
use tokio::task::block_in_place;
use tokio::time::timeout;

use crate::shop::{bench, in_a_shop, report};

in_a_shop! {
    actix: [
        row_02_a_master_that_is_killed_is_replaced_by_sentinels,
        a_failover_on_request_under_traffic,
        a_master_that_wakes_up_after_its_time_is_not_read,
        the_store_goes_on_without_sentinels_and_without_most_of_them,
    ];

    async fn row_02_a_master_that_is_killed_is_replaced_by_sentinels() {
        let mut servers = RedisSentinels::start();
        let server = shop(&bench(RedisStore::connect(&servers.url()).await.unwrap())).await;
        let mut traffic = Traffic::begin(&server).await;
        traffic.all_get(200).await;
        let master = servers.master();
        servers.server(master).kill();
        traffic.all_get(503).await;
        block_in_place(|| servers.await_another_master(master));
        traffic.all_get(200).await;
        let tally = traffic.end_with_losses().await;
        report("sentinels replaced a master that was killed", tally);
        assert!(tally.lost <= 4, "{tally}");
    }

    async fn a_failover_on_request_under_traffic() {
        let servers = RedisSentinels::start();
        let server = shop(&bench(RedisStore::connect(&servers.url()).await.unwrap())).await;
        let mut traffic = Traffic::begin(&server).await;
        let before = servers.master();
        let after = block_in_place(|| servers.fail_over_from(before));
        assert_ne!(before, after);
        traffic.all_get(200).await;
        // Until it is told, the former master goes on: what it acknowledges meanwhile is gone.
        report("sentinels replaced a master on request", traffic.end_with_losses().await);
    }

    /// A server that was frozen does not know that another one took over. A client that was idle meanwhile has a good
    /// connection to it.
    async fn a_master_that_wakes_up_after_its_time_is_not_read() {
        let mut servers = RedisSentinels::start();
        let store = RedisStore::connect(&servers.url()).await.unwrap();
        let bench = bench(store).with_config(|config| config.track_devices(true));
        let server = shop(&bench).await;
        let ada = server.visitor();
        assert_eq!(ada.post("/login", "ada").await.status, 200);
        let master = servers.master();
        servers.cli(master, &["WAIT", "2", "10000"]);
        servers.server(master).pause();
        // Longer than an answer about the role is believed.
        block_in_place(|| servers.await_another_master(master));
        let elsewhere = bench.manager_over(RedisStore::connect(&servers.url()).await.unwrap());
        elsewhere.devices_of("ada").end_all().await.unwrap();
        servers.server(master).resume();
        for _ in 0..50 {
            let answer = ada.get("/who").await;
            match answer.status {
                200 => assert_eq!(answer.body, "nobody", "the session was ended"),
                _ => assert_unavailable(&answer, "/who"),
            }
        }
        assert_eq!(ada.get("/who").await.body, "nobody");
    }

    async fn the_store_goes_on_without_sentinels_and_without_most_of_them() {
        let mut servers = RedisSentinels::start();
        let server = shop(&bench(RedisStore::connect(&servers.url()).await.unwrap())).await;
        let mut traffic = Traffic::begin(&server).await;
        let idle = RedisStore::connect(&servers.url()).await.unwrap();
        servers.pause_sentinel(0);
        servers.kill_sentinel(1);
        // The one that is left leads a new client to the master.
        let store = RedisStore::builder(servers.url()).connect_timeout(Duration::from_secs(5)).build().unwrap();
        store.ping().await.unwrap();
        servers.kill_sentinel(2);
        traffic.all_get(200).await;
        // Longer than an answer about the role is believed.
        tokio::time::sleep(Duration::from_secs(3)).await;
        traffic.all_get(200).await;
        traffic.end().await;
        // Nor does a call wait for the one that is frozen, which a new client does for half a second.
        let key = EntryKey::session(SessionId::from_bytes([1; 16]));
        let first = idle.load(&key);
        let quick = Duration::from_millis(450);
        assert!(timeout(quick, first).await.unwrap().unwrap().is_none(), "the first one after a silence");
        let error = RedisStore::connect(&servers.url()).await.unwrap_err();
        assert!(error.to_string().contains("sentinels name no master"), "{error}");
    }
}
