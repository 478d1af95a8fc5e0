//! Nodes of a cluster that fail, and slots that move.

use std::time::Duration;

use sessionkit::redis::RedisStore;
use sessionkit_tests::harness::fault::{assert_unavailable, recovered};
use sessionkit_tests::harness::{Bench, Server, Traffic, Visitor};
use sessionkit_tests::servers::redis_cluster::RedisCluster;
use tokio::task::block_in_place;

use crate::shop::{bench, in_a_shop, key_of, report};

in_a_shop! {
    axum: [
        a_resharding_under_traffic_loses_nothing,
        a_handover_under_traffic_loses_nothing_and_a_demoted_master_is_not_read,
        row_02_a_master_of_a_cluster_that_is_killed_is_replaced,
        a_master_that_is_frozen_is_an_outage_for_its_slots_alone,
        a_slot_without_a_master_is_an_outage_for_its_sessions_alone,
        any_node_that_is_named_leads_to_the_cluster,
    ];

    async fn a_resharding_under_traffic_loses_nothing() {
        let cluster = RedisCluster::start();
        let store = RedisStore::connect(&cluster.url()).await.unwrap();
        let server = shop(&bench(store.clone())).await;
        let mut traffic = Traffic::begin(&server).await;
        let masters = cluster.masters();
        for round in 0..2 {
            for token in traffic.tokens().to_vec() {
                let key = key_of(&store, &token);
                let slot = cluster.slot_of(&key);
                let from = cluster.master_of(&key);
                let to = *masters.iter().cycle().skip_while(|master| **master != from).nth(1).unwrap();
                block_in_place(|| cluster.begin_to_move(slot, to));
                if round > 0 {
                    // Asked for at the old place, it is still there; a new one would be at the new place.
                    traffic.all_get(200).await;
                }
                block_in_place(|| cluster.move_keys(slot, from, to, usize::MAX));
                if round > 0 {
                    traffic.all_get(200).await;
                }
                block_in_place(|| cluster.finish_move(slot, to));
            }
            traffic.all_get(200).await;
        }
        traffic.end().await;
    }

    async fn a_handover_under_traffic_loses_nothing_and_a_demoted_master_is_not_read() {
        let cluster = RedisCluster::start();
        let store = RedisStore::connect(&cluster.url()).await.unwrap();
        let bench = bench(store.clone()).with_config(|config| config.track_devices(true));
        let server = shop(&bench).await;
        // Without traffic that finds the new master.
        let ada = logged_in(&server, "ada").await;
        let key = key_of(&store, &ada.token().unwrap());
        let master = cluster.master_of(&key);
        let replica = block_in_place(|| cluster.hand_over(master));
        let elsewhere = bench.manager_over(RedisStore::connect(&cluster.url()).await.unwrap());
        elsewhere.devices_of("ada").end_all().await.unwrap();
        assert_eq!(cluster.cli(replica, &["EXISTS", &key]), "0");
        assert_eq!(ada.get("/who").await.body, "nobody", "the old master sends it on at once");

        let mut traffic = Traffic::begin(&server).await;
        let visited = cluster.master_of(&key_of(&store, &traffic.tokens()[0]));
        let first = block_in_place(|| cluster.hand_over(visited));
        traffic.all_get(200).await;
        // And back, unless that has just been done.
        if visited != replica {
            assert_eq!(block_in_place(|| cluster.hand_over(first)), visited);
            traffic.all_get(200).await;
        }
        traffic.end().await;
    }

    /// A failover that nobody prepared can lose what the replica had not got: reported, and all else holds.
    async fn row_02_a_master_of_a_cluster_that_is_killed_is_replaced() {
        let mut cluster = RedisCluster::start();
        let store = RedisStore::connect(&cluster.url()).await.unwrap();
        let server = shop(&bench(store.clone())).await;
        let mut traffic = Traffic::begin(&server).await;
        traffic.all_get(200).await;
        let key = key_of(&store, &traffic.tokens()[0]);
        let master = cluster.master_of(&key);
        block_in_place(|| {
            cluster.node(master).kill();
            cluster.replace_after(Duration::from_secs(1));
            cluster.await_another_master_of(&key, master);
            cluster.replace_after(Duration::from_secs(2));
        });
        traffic.all_get(200).await;
        block_in_place(|| {
            cluster.node(master).restart();
            cluster.await_agreement();
        });
        traffic.all_get(200).await;
        let tally = traffic.end_with_losses().await;
        report("a cluster replaced a master that was killed", tally);
        // As many as were on their way to the replica in that moment: one for each visitor.
        assert!(tally.lost <= 4, "{tally}");
    }

    async fn a_master_that_is_frozen_is_an_outage_for_its_slots_alone() {
        let mut cluster = RedisCluster::start();
        let store = RedisStore::connect(&cluster.url()).await.unwrap();
        let server = shop(&bench(store.clone())).await;
        let masters = cluster.masters();
        let (frozen, visitors) = (masters[0], on_each_master(&cluster, &store, &server, &masters).await);
        let mut traffic = Traffic::begin(&server).await;
        let key = key_of(&store, &visitors[0].token().unwrap());
        let replica = cluster.replicas_of(frozen)[0];
        cluster.node(frozen).pause();
        assert_unavailable(&visitors[0].get("/add").await, "on the frozen one");
        for visitor in &visitors[1..] {
            assert_eq!(visitor.get("/add").await.status, 200, "on another one");
        }
        block_in_place(|| {
            cluster.take_over(replica);
            cluster.await_another_master_of(&key, frozen);
        });
        // It follows within one request, whose deadline is a second.
        assert_eq!(recovered(&visitors[0], "/views").await.body, "1");
        assert_eq!(visitors[0].get("/add").await.status, 200);
        cluster.node(frozen).resume();
        block_in_place(|| cluster.await_agreement());
        for visitor in &visitors {
            assert_eq!((visitor.get("/views").await.body.as_str(), visitor.get("/add").await.status), ("2", 200));
        }
        traffic.all_get(200).await;
        let tally = traffic.end_with_losses().await;
        report("a cluster replaced a master that was frozen", tally);
        assert!(tally.lost <= 4, "{tally}");
    }

    async fn a_slot_without_a_master_is_an_outage_for_its_sessions_alone() {
        let cluster = RedisCluster::start();
        let store = RedisStore::connect(&cluster.url()).await.unwrap();
        let server = shop(&bench(store.clone())).await;
        let masters = cluster.masters();
        let visitors = on_each_master(&cluster, &store, &server, &masters).await;
        let mut traffic = Traffic::begin(&server).await;
        let slot = cluster.slot_of(&key_of(&store, &visitors[0].token().unwrap())).to_string();
        let other_slot = cluster.slot_of(&key_of(&store, &traffic.tokens()[0]));
        let other_master = cluster.master_of_slot(other_slot).unwrap();
        let other_slot = other_slot.to_string();
        // First the one that tells the others that it has the slot.
        for node in [masters[0]].into_iter().chain((0..cluster.ports().len()).filter(|node| *node != masters[0])) {
            cluster.cli(node, &["CONFIG", "SET", "cluster-require-full-coverage", "no"]);
            cluster.cli(node, &["CLUSTER", "DELSLOTS", &slot]);
        }
        for node in [other_master].into_iter().chain((0..cluster.ports().len()).filter(|node| *node != other_master)) {
            cluster.cli(node, &["CLUSTER", "DELSLOTS", &other_slot]);
        }
        traffic.one_gets(0, 503).await;
        let token = visitors[0].token();
        for path in ["/add", "/views", "/who"] {
            assert_unavailable(&visitors[0].get(path).await, path);
        }
        assert_eq!(visitors[0].token(), token, "[P10]");
        for visitor in &visitors[1..] {
            assert_eq!(visitor.get("/add").await.status, 200);
        }
        cluster.cli(masters[0], &["CLUSTER", "ADDSLOTS", &slot]);
        cluster.cli(other_master, &["CLUSTER", "ADDSLOTS", &other_slot]);
        block_in_place(|| cluster.await_agreement());
        assert_eq!(recovered(&visitors[0], "/views").await.body, "1");
        assert_eq!(visitors[0].get("/add").await.status, 200);
        traffic.all_get(200).await;
        traffic.end().await;
    }

    /// A seed may be a replica, and others may be gone.
    async fn any_node_that_is_named_leads_to_the_cluster() {
        let mut cluster = RedisCluster::start();
        let replica = cluster.replicas_of(cluster.masters()[0])[0];
        let gone = cluster.replicas_of(cluster.masters()[1])[0];
        cluster.node(gone).kill();
        let ports = [gone, replica].map(|node| cluster.ports()[node]);
        let url = format!("redis+cluster://127.0.0.1:{},127.0.0.1:{}", ports[0], ports[1]);
        let server = shop(&bench(RedisStore::connect(&url).await.unwrap())).await;
        let mut traffic = Traffic::begin(&server).await;
        traffic.all_get(200).await;
        traffic.end().await;
    }

    async fn logged_in(server: &Server, user: &str) -> Visitor {
        let visitor = server.visitor();
        assert_eq!(visitor.post("/login", user).await.status, 200);
        visitor
    }

    /// Visitors of whom each has a session on the master in its place, with one view.
    async fn on_each_master(
        cluster: &RedisCluster,
        store: &RedisStore,
        server: &Server,
        masters: &[usize],
    ) -> Vec<Visitor> {
        let mut found: Vec<Option<Visitor>> = vec![None; masters.len()];
        while found.iter().any(Option::is_none) {
            let visitor = server.visitor();
            assert_eq!(visitor.get("/add").await.status, 200);
            let master = cluster.master_of(&key_of(store, &visitor.token().unwrap()));
            let place = masters.iter().position(|known| *known == master).unwrap();
            found[place].get_or_insert(visitor);
        }
        found.into_iter().flatten().collect()
    }
}
