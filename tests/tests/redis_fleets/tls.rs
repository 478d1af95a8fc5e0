//! Servers that speak TLS alone, to clients and among themselves.

use sessionkit::redis::RedisStore;
use sessionkit::{SessionConfig, SessionManager};
use sessionkit_tests::harness::{Bench, NEVER, Server, Traffic, watch};
use sessionkit_tests::servers::redis::RedisServer;
use sessionkit_tests::servers::redis_cluster::RedisCluster;
use sessionkit_tests::servers::redis_sentinel::RedisSentinels;
use tokio::task::block_in_place;
use tokio::time::timeout;

use crate::notices::PATIENCE;
use crate::shop::{bench, in_a_shop, key_of};

in_a_shop! {
    axum: [
        a_cluster_over_tls,
        sentinels_and_their_master_over_tls,
    ];

    async fn a_cluster_over_tls() {
        let cluster = RedisCluster::start_with_tls();
        let ca = std::fs::read(cluster.ca_path().unwrap()).unwrap();
        let store = RedisStore::builder(cluster.url()).ca_certificate(ca.as_slice()).build().unwrap();
        let server = shop(&bench(store.clone())).await;
        let mut traffic = Traffic::begin(&server).await;
        let key = key_of(&store, &traffic.tokens()[0]);
        let master = cluster.master_of(&key);
        // The nodes send the client on, to one another's ports for TLS.
        let to = cluster.masters().into_iter().find(|other| *other != master).unwrap();
        block_in_place(|| cluster.move_slot(cluster.slot_of(&key), to));
        traffic.all_get(200).await;
        block_in_place(|| cluster.hand_over(to));
        traffic.all_get(200).await;
        traffic.end().await;
        hears_of_an_end(store).await;
        refuses_others(&cluster.url()).await;
    }

    async fn sentinels_and_their_master_over_tls() {
        let servers = RedisSentinels::start_with_tls();
        let ca = std::fs::read(servers.ca_path().unwrap()).unwrap();
        let store = RedisStore::builder(servers.url()).ca_certificate(ca.as_slice()).build().unwrap();
        let server = shop(&bench(store.clone())).await;
        let mut traffic = Traffic::begin(&server).await;
        block_in_place(|| servers.fail_over_from(servers.master()));
        traffic.all_get(200).await;
        // Until it is told, the former master goes on: what it acknowledges meanwhile is gone.
        traffic.end_with_losses().await;
        hears_of_an_end(store).await;
        refuses_others(&servers.url()).await;
    }
}

async fn hears_of_an_end(store: RedisStore) {
    let config = SessionConfig::builder().track_devices(true).watch_interval(NEVER).build().unwrap();
    let manager = SessionManager::new(store, config);
    let watched = watch(&manager, "ada").await;
    manager.devices_of("ada").end_all().await.unwrap();
    timeout(PATIENCE, watched).await.unwrap().unwrap();
}

/// Makes sure that nothing is said to servers for which nobody vouches, nor without TLS.
async fn refuses_others(url: &str) {
    let other = RedisServer::builder().tls().start();
    let ca = std::fs::read(other.ca_path().unwrap()).unwrap();
    let stranger = RedisStore::builder(url).ca_certificate(ca).build().unwrap();
    let reason = format!("{:?}", stranger.ping().await.unwrap_err());
    assert!(reason.contains("certificate"), "{reason}");
    assert!(RedisStore::connect(&url.replace("rediss", "redis")).await.is_err());
}
