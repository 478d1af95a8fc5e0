//! Ends of sessions that are heard of after a failover.

use std::time::Duration;

use sessionkit::redis::RedisStore;
use sessionkit::{SessionConfig, SessionManager};
use sessionkit_tests::harness::{NEVER, watch};
use sessionkit_tests::servers::redis_cluster::RedisCluster;
use tokio::task::block_in_place;
use tokio::time::timeout;

/// Longer than a busy machine needs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

async fn manager(url: &str, interval: Duration) -> SessionManager {
    let config = SessionConfig::builder().track_devices(true).watch_interval(interval);
    let deadline = Duration::from_secs(5);
    let config = config.load_deadline(deadline).commit_deadline(deadline).build().unwrap();
    SessionManager::new(RedisStore::connect(url).await.unwrap(), config)
}

/// Returns the node that a store listens to.
fn listened_to(cluster: &RedisCluster, nodes: &[usize]) -> Option<usize> {
    let is_heard = |node: &usize| cluster.cli(*node, &["PUBSUB", "NUMSUB", "session:@ended"]).ends_with('1');
    nodes.iter().copied().find(is_heard)
}

/// The master that is listened to is killed. One store hears of the end, from another master; another one hears nothing,
/// since it may not subscribe, and looks.
#[tokio::test(flavor = "multi_thread")]
async fn an_end_after_the_failover_of_the_node_that_is_listened_to_is_learnt() {
    let mut cluster = RedisCluster::start();
    let masters = cluster.masters();
    let url = cluster.url();
    for node in 0..cluster.ports().len() {
        cluster.cli(node, &["ACL", "SETUSER", "deaf", "on", ">secret", "~*", "resetchannels", "+@all"]);
    }
    let (hears, deaf_url) = (manager(&url, NEVER).await, url.replace("://", "://deaf:secret@"));
    let looks = manager(&deaf_url, Duration::from_millis(500)).await;
    let (ada, bob) = (watch(&hears, "ada").await, watch(&looks, "bob").await);
    let listens = async {
        loop {
            match listened_to(&cluster, &masters) {
                Some(node) => break node,
                None => tokio::task::yield_now().await,
            }
        }
    };
    let killed = timeout(PATIENCE, listens).await.unwrap();
    let others: Vec<usize> = (0..cluster.ports().len()).filter(|node| *node != killed).collect();
    block_in_place(|| cluster.kill_and_replace(killed));
    let listens = async {
        while listened_to(&cluster, &others).is_none() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, listens).await.unwrap();
    assert!(!ada.is_finished() && !bob.is_finished(), "a failover is not the end");
    let elsewhere = manager(&url, NEVER).await;
    for user in ["ada", "bob"] {
        elsewhere.devices_of(user).end_all().await.unwrap();
    }
    for watched in [ada, bob] {
        timeout(PATIENCE, watched).await.unwrap().unwrap();
    }
}
