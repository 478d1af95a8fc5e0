//! A listener in a cluster whose nodes change.

use tokio::runtime::Handle;
use tokio::time::sleep;

use super::*;
use crate::redis::address::Address;
use crate::redis::cluster::Cluster;
use crate::redis::connections::{Connections, Home};
use crate::redis::endpoint::Endpoint;
use crate::redis::fake::{FakeServer, Network};

/// A node that gave away its slots hears nothing any more when it leaves the cluster, and says that it is a master.
#[tokio::test(start_paused = true)]
async fn it_leaves_a_node_that_has_no_slots_any_more() {
    let (network, one, two) = (Network::default(), FakeServer::master("one"), FakeServer::master("two"));
    let address = |port| Address { host: "fake".to_owned(), port };
    let all_at = |place: u16| {
        for (port, node) in [(1, &one), (2, &two)] {
            node.answer("CLUSTER", &format!("*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$4\r\nfake\r\n:{place}"));
            node.answer("SUBSCRIBE", "*3\r\n$9\r\nsubscribe\r\n$6\r\n@ended\r\n:1");
            node.answer("PING", "*2\r\n$4\r\npong\r\n$0\r\n");
            network.place(port, Some(node));
        }
    };
    all_at(1);
    let seeds = [1, 2].map(|port| Endpoint::fake(network.clone()).of_node(address(port))).to_vec();
    let cluster = Cluster::new(seeds, Home::for_itself(Handle::current()), Duration::from_secs(1));
    let subscription = Subscription::new(Servers::Cluster(cluster.clone()), "");
    subscription.notices();
    sleep(Duration::from_secs(10)).await;
    assert_eq!((one.heard("SUBSCRIBE"), two.heard("SUBSCRIBE")), (1, 0), "it stays while all is well");
    all_at(2);
    cluster.ping().await.unwrap();
    sleep(Duration::from_secs(3)).await;
    assert_eq!((one.heard("SUBSCRIBE"), two.heard("SUBSCRIBE")), (1, 1));
}

/// A server that takes connections and answers nothing must not collect the notices of an outage.
#[tokio::test(start_paused = true)]
async fn a_notice_that_no_server_takes_is_given_up() {
    let (server, home) = (FakeServer::master("one"), Home::for_itself(Handle::current()));
    let endpoint = Endpoint::fake(Network::to(&server));
    let connections = Connections::new(endpoint, home.clone(), Duration::from_secs(1));
    let subscription = Subscription::new(Servers::One(connections, home), "");
    server.answer("PUBLISH", ":0");
    subscription.announce(SessionId::from_bytes([1; 16]));
    sleep(Duration::from_millis(10)).await;
    assert_eq!(server.heard("PUBLISH"), 1);
    server.hang();
    let tasks = || Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    for number in 0..100 {
        subscription.announce(SessionId::from_bytes([number; 16]));
    }
    assert!(tasks() >= before + 100);
    sleep(Duration::from_secs(5)).await;
    assert!(tasks() < before + 10, "{} more", tasks() - before);
}

#[tokio::test(start_paused = true)]
async fn a_notice_goes_to_another_node_while_one_hangs() {
    let (network, one, two) = (Network::default(), FakeServer::master("one"), FakeServer::master("two"));
    let half = |first: u16, last: u16, port: u16| format!("*3\r\n:{first}\r\n:{last}\r\n*2\r\n$4\r\nfake\r\n:{port}");
    for (port, node) in [(1, &one), (2, &two)] {
        node.answer("CLUSTER", &format!("*2\r\n{}\r\n{}", half(0, 8191, 1), half(8192, 16383, 2)));
        node.answer("PUBLISH", ":0");
        network.place(port, Some(node));
    }
    let seed = Endpoint::fake(network.clone()).of_node(Address { host: "fake".to_owned(), port: 1 });
    let cluster = Cluster::new(vec![seed], Home::for_itself(Handle::current()), Duration::from_secs(1));
    cluster.ping().await.unwrap();
    let subscription = Subscription::new(Servers::Cluster(cluster), "");
    subscription.announce(SessionId::from_bytes([1; 16]));
    sleep(Duration::from_millis(10)).await;
    assert_eq!((one.heard("PUBLISH"), two.heard("PUBLISH")), (1, 0));
    one.hang();
    subscription.announce(SessionId::from_bytes([2; 16]));
    sleep(Duration::from_secs(1)).await;
    assert_eq!(two.heard("PUBLISH"), 1);
}
