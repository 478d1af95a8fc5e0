//! Writes that wait for replicas, and those that do not.

use std::time::{Duration, Instant};

use sessionkit::redis::RedisStore;
use sessionkit::store::{Generation, InsertOutcome, RemoveOutcome, ReplaceOutcome, Store, StoreErrorKind};
use sessionkit_tests::harness::fault::{assert_unavailable, recovered};
use sessionkit_tests::harness::{Bench, Server, Tally, Traffic};
use sessionkit_tests::servers::redis_cluster::RedisCluster;
use sessionkit_tests::servers::redis_sentinel::RedisSentinels;
use tokio::task::block_in_place;

use crate::scans::{another, entry, key};
use crate::shop::{bench, in_a_shop, key_of, report};

fn waiting(url: &str, replicas: u32) -> RedisStore {
    let store = RedisStore::builder(url).wait_for_replicas(replicas, Duration::from_millis(200));
    store.build().unwrap()
}

in_a_shop! {
    axum: [
        a_logout_that_waited_for_the_replicas_stays_after_a_failover,
        a_logout_that_did_not_wait_is_undone_by_a_failover,
        what_was_acknowledged_after_waiting_survives_a_failover_under_traffic,
    ];

    /// The replicas are frozen, so that nothing reaches them, and the master is killed: the worst case of a failover.
    async fn a_logout_that_waited_for_the_replicas_stays_after_a_failover() {
        let mut servers = RedisSentinels::start();
        let server = shop(&bench(waiting(&servers.url(), 2))).await;
        let (ada, bob) = (server.visitor(), server.visitor());
        let eve = server.visitor();
        for (visitor, user) in [(&ada, "ada"), (&bob, "bob"), (&eve, "eve")] {
            assert_eq!(visitor.post("/login", user).await.status, 200);
        }
        let (ada_before, bob_before) = (ada.fork(), bob.fork());
        assert_eq!(ada.get("/logout").await.status, 200, "the replicas have it");
        let master = servers.master();
        for replica in (0..3).filter(|server| *server != master) {
            servers.server(replica).pause();
        }
        let answer = bob.get("/logout").await;
        assert_unavailable(&answer, "the replicas do not have it");
        assert_eq!(bob.token(), bob_before.token(), "[P10]");
        let answer = eve.get("/add").await;
        assert_unavailable(&answer, "the replicas do not have it");
        servers.server(master).kill();
        for replica in (0..3).filter(|server| *server != master) {
            servers.server(replica).resume();
        }
        block_in_place(|| servers.fail_over_from(master));
        assert_eq!(recovered(&ada_before, "/who").await.body, "nobody");
        // Nobody was told that he is logged out.
        assert!(["bob", "nobody"].contains(&&*bob_before.get("/who").await.body));
        let tally = Tally { acknowledged: 4, lost: u64::from(eve.get("/who").await.body != "eve"), refused: 2 };
        report("the replicas had not got the last writes, which wait for them", tally);
        assert_eq!(tally.lost, 0);
    }

    async fn a_logout_that_did_not_wait_is_undone_by_a_failover() {
        let mut servers = RedisSentinels::start();
        let server = shop(&bench(RedisStore::connect(&servers.url()).await.unwrap())).await;
        let ada = server.visitor();
        assert_eq!(ada.post("/login", "ada").await.status, 200);
        let (before, master) = (ada.fork(), servers.master());
        assert_eq!(servers.cli(master, &["WAIT", "2", "10000"]), "2");
        let replicas = (0..3).filter(|server| *server != master);
        for replica in replicas.clone() {
            assert_eq!(servers.cli(replica, &["SAVE"]), "OK");
            servers.server(replica).kill();
        }
        let bob = server.visitor();
        for _ in 0..5 {
            assert_eq!(bob.get("/add").await.status, 200, "no replica has it");
        }
        assert_eq!(ada.get("/logout").await.status, 200, "no replica has it");
        servers.server(master).kill();
        for replica in replicas {
            servers.server(replica).restart();
        }
        block_in_place(|| servers.fail_over_from(master));
        assert_eq!(recovered(&before, "/who").await.body, "ada", "the logout is undone");
        let kept: u64 = bob.get("/views").await.body.parse().unwrap();
        assert_eq!(kept, 0, "the session that was begun is gone");
        report("the replicas had not got the last writes", Tally { acknowledged: 6, lost: 6 - kept, refused: 0 });
    }

    async fn what_was_acknowledged_after_waiting_survives_a_failover_under_traffic() {
        let mut cluster = RedisCluster::start();
        let store = waiting(&cluster.url(), 1);
        let server = shop(&bench(store.clone())).await;
        let mut traffic = Traffic::begin(&server).await;
        for round in 0..2 {
            traffic.all_get(200).await;
            let master = cluster.master_of(&key_of(&store, &traffic.tokens()[round]));
            // One who logs out from that master in its last moment.
            let (ada, before) = loop {
                let ada = server.visitor();
                assert_eq!(ada.post("/login", "ada").await.status, 200);
                if cluster.master_of(&key_of(&store, &ada.token().unwrap())) == master {
                    break (ada.clone(), ada.fork());
                }
            };
            assert_eq!(ada.get("/logout").await.status, 200);
            block_in_place(|| cluster.kill_and_replace(master));
            assert_eq!(recovered(&before, "/who").await.body, "nobody", "the logout stays");
            block_in_place(|| {
                // Without a replica nothing is acknowledged.
                cluster.node(master).restart();
                cluster.await_agreement();
            });
            traffic.all_get(200).await;
        }
        let tally = traffic.end_with_losses().await;
        report("a cluster replaced two masters whose replicas writes wait for", tally);
        assert_eq!(tally.lost, 0, "{tally}");
    }
}

#[tokio::test]
async fn a_write_that_fewer_replicas_have_is_unknown_until_they_do() {
    let mut servers = RedisSentinels::start();
    let store = waiting(&servers.url(), 2);
    assert_eq!(store.insert(&key(1), &entry()).await.unwrap(), InsertOutcome::Inserted);
    let master = servers.master();
    let replica = (0..3).find(|server| *server != master).unwrap();
    servers.server(replica).pause();
    let unknown = |error: sessionkit::store::StoreError| {
        assert_eq!(error.kind(), StoreErrorKind::Unknown, "{error:?}");
        assert!(format!("{error:?}").contains("only 1 of 2 replicas"), "{error:?}");
    };
    unknown(store.insert(&key(2), &entry()).await.unwrap_err());
    // It happened on the master, and whoever asks again waits again, though there is nothing to write any more.
    unknown(store.insert(&key(2), &entry()).await.unwrap_err());
    unknown(store.replace(&key(2), another().revision().unwrap(), &another()).await.unwrap_err());
    unknown(store.replace(&key(3), entry().revision().unwrap(), &another()).await.unwrap_err());
    unknown(store.remove(&key(1), Generation::default()).await.unwrap_err());
    unknown(store.remove(&key(1), Generation::default()).await.unwrap_err());
    // Reads wait for nobody.
    let began = Instant::now();
    assert!(store.load(&key(2)).await.unwrap().is_some() && store.load(&key(1)).await.unwrap().is_none());
    assert!(began.elapsed() < Duration::from_millis(200));
    servers.server(replica).resume();
    let patient = RedisStore::builder(servers.url()).wait_for_replicas(2, Duration::from_secs(20)).build().unwrap();
    assert_eq!(patient.insert(&key(2), &entry()).await.unwrap(), InsertOutcome::Taken);
    assert_eq!(patient.remove(&key(1), Generation::default()).await.unwrap(), RemoveOutcome::Absent);
    let changed = patient.replace(&key(2), another().revision().unwrap(), &another()).await.unwrap();
    assert!(matches!(changed, ReplaceOutcome::Changed(found) if found.bytes() == entry().bytes()));
    let absent = patient.replace(&key(3), entry().revision().unwrap(), &another()).await.unwrap();
    assert_eq!(absent, ReplaceOutcome::Absent);
    assert_eq!(servers.cli(master, &["EXISTS", &store.key(key(1).session_id().unwrap())]), "0");
    let ttl: i64 = servers.cli(master, &["PTTL", &store.key(key(2).session_id().unwrap())]).parse().unwrap();
    assert!(ttl > 3_000_000, "it is still forgotten in time: {ttl}");
}

mod suite {
    use std::time::Duration;

    use sessionkit::redis::RedisStore;
    use sessionkit_tests::servers::redis_cluster::RedisCluster;
    use sessionkit_tests::servers::unique_name;

    async fn store() -> RedisStore {
        let builder = RedisStore::builder(RedisCluster::shared().url()).prefix(format!("{}:", unique_name()));
        builder.wait_for_replicas(1, Duration::from_secs(20)).build().unwrap()
    }

    sessionkit_core::store_suite!(store);
}
