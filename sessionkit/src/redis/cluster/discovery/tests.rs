//! How often the nodes are asked.

use tokio::runtime::{Builder, Handle};
use tokio::time::sleep;

use super::*;
use crate::redis::cluster::Cluster;
use crate::redis::connections::Home;
use crate::redis::failure::Failure;
use crate::redis::fake::{FakeServer, Network};

const NODES: u16 = 3;

fn address(port: u16) -> Address {
    Address { host: "fake".to_owned(), port }
}

fn cluster(network: &Network, connect_timeout: Duration) -> Cluster {
    let seeds = (1..=NODES).map(|port| Endpoint::fake(network.clone()).of_node(address(port))).collect();
    Cluster::new(seeds, Home::for_itself(Handle::current()), connect_timeout)
}

/// Says that the first of these nodes has the first slots.
fn slots(last: u16) -> String {
    format!("*1\r\n*3\r\n:0\r\n:{last}\r\n*2\r\n$4\r\nfake\r\n:1")
}

async fn get(cluster: &Cluster, slot: u16) -> Result<Value, Failure> {
    cluster.call(slot, cmd("GET").arg("key")).await
}

/// Sends requests for ten seconds, each of which fails.
async fn ask_in_vain(cluster: &Cluster, slot: u16) {
    let mut requests = JoinSet::new();
    for _ in 0..2000 {
        let cluster = cluster.clone();
        requests.spawn(async move { timeout(Duration::from_millis(250), get(&cluster, slot)).await });
        sleep(Duration::from_millis(5)).await;
    }
    while let Some(outcome) = requests.join_next().await {
        assert!(!matches!(outcome.unwrap(), Ok(Ok(_))));
    }
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_is_away_is_tried_in_pauses_however_many_wait() {
    for known in [false, true] {
        let (network, node) = (Network::default(), FakeServer::master("one"));
        let cluster = cluster(&network, Duration::from_secs(1));
        if known {
            node.answer("CLUSTER", &slots(16383));
            network.place(1, Some(&node));
            get(&cluster, 0).await.unwrap();
            network.place(1, None);
            node.cut();
        }
        let before = network.attempts().len();
        ask_in_vain(&cluster, 0).await;
        let rounds = (network.attempts().len() - before) / usize::from(NODES);
        assert!((20..120).contains(&rounds), "known: {known}: {rounds} rounds in ten seconds");
        node.answer("CLUSTER", &slots(16383));
        network.place(1, Some(&node));
        timeout(Duration::from_millis(500), get(&cluster, 0)).await.expect("it is back").unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_slot_without_a_master_costs_the_cluster_few_questions() {
    let (network, node) = (Network::default(), FakeServer::master("one"));
    node.answer("CLUSTER", &slots(99));
    network.place(1, Some(&node));
    let cluster = cluster(&network, Duration::from_secs(1));
    get(&cluster, 0).await.unwrap();
    let before = node.heard("CLUSTER");
    ask_in_vain(&cluster, 100).await;
    let asked = node.heard("CLUSTER") - before;
    assert!((20..=210).contains(&asked), "{asked} questions in ten seconds");
    node.answer("CLUSTER", &slots(100));
    get(&cluster, 100).await.unwrap();
}

/// The worker of a server is blocked by a handler, or a runtime is driven from time to time.
#[test]
fn a_runtime_that_nobody_drives_holds_up_no_other() {
    let runtime = || Builder::new_current_thread().enable_all().build().unwrap();
    let (one, other) = (runtime(), runtime());
    let (network, node) = (Network::default(), FakeServer::master("one"));
    node.hang();
    network.place(1, Some(&node));
    let cluster = one.block_on(async { cluster(&network, Duration::from_millis(50)) });
    let early = other.block_on(async { timeout(Duration::from_millis(20), get(&cluster, 0)).await });
    assert!(early.is_err(), "it was asked, and did not answer");
    node.answer("CLIENT", "+OK");
    node.answer("GET", "+one");
    node.answer("HELLO", "+OK");
    node.answer("CLUSTER", &slots(16383));
    one.block_on(async {
        let began = Instant::now();
        while !matches!(timeout(Duration::from_millis(250), get(&cluster, 0)).await, Ok(Ok(_))) {
            assert!(began.elapsed() < Duration::from_secs(10), "the refresh of the other one is waited for");
        }
    });
}

#[tokio::test(start_paused = true)]
async fn a_node_that_became_a_replica_is_left() {
    let (network, one, two) = (Network::default(), FakeServer::master("one"), FakeServer::master("two"));
    for (port, node) in [(1, &one), (2, &two)] {
        node.answer("CLUSTER", &slots(16383));
        network.place(port, Some(node));
    }
    let cluster = cluster(&network, Duration::from_secs(1));
    get(&cluster, 0).await.unwrap();
    let after = "*1\r\n*4\r\n:0\r\n:16383\r\n*2\r\n$4\r\nfake\r\n:2\r\n*2\r\n$4\r\nfake\r\n:1";
    for node in [&one, &two] {
        node.answer("CLUSTER", after);
    }
    cluster.ping().await.unwrap();
    assert!(cluster.0.lock().keys().eq([&address(2)]), "no connection to the former master stays open");
}
