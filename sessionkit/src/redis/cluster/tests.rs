//! Nodes that send commands on, fail, or disagree, over a clock that the tests move.

use ::redis::cmd;
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::*;
use crate::redis::fake::{FakeServer, Network};

/// A slot, and a key in it.
const KEY: &str = "foo";
const SLOT: u16 = 12182;

/// Two nodes of a cluster.
struct Nodes {
    network: Network,
    one: FakeServer,
    two: FakeServer,
}

impl Nodes {
    /// The first node has all slots.
    fn new() -> Self {
        let (one, two) = (FakeServer::master("one"), FakeServer::master("two"));
        let network = Network::default();
        network.place(1, Some(&one));
        network.place(2, Some(&two));
        let nodes = Self { network, one, two };
        nodes.say_that_all_is_at(1);
        nodes
    }

    /// Lets both nodes say that this one has all slots.
    fn say_that_all_is_at(&self, port: u16) {
        for node in [&self.one, &self.two] {
            node.answer("CLUSTER", &format!("*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$4\r\nfake\r\n:{port}"));
        }
    }

    fn cluster(&self) -> Cluster {
        let address = |port| Address { host: "fake".to_owned(), port };
        let seed = |port| Endpoint::fake(self.network.clone()).of_node(address(port));
        Cluster::new(vec![seed(1), seed(2)], Home::for_itself(Handle::current()), Duration::from_secs(1))
    }
}

async fn get(cluster: &Cluster) -> Result<String, Failure> {
    match cluster.call(slot_of(KEY.as_bytes()), cmd("GET").arg(KEY)).await? {
        Value::SimpleString(name) => Ok(name),
        other => panic!("not the name of a server: {other:?}"),
    }
}

async fn set(cluster: &Cluster) -> Result<Value, Failure> {
    cluster.call(slot_of(KEY.as_bytes()), cmd("SET").arg(KEY).arg("value")).await
}

#[tokio::test(start_paused = true)]
async fn a_slot_that_moved_is_found_where_its_node_says_and_remembered() {
    let nodes = Nodes::new();
    let cluster = nodes.cluster();
    assert_eq!(get(&cluster).await.unwrap(), "one");
    nodes.one.answer("GET", &format!("-MOVED {SLOT} fake:2"));
    nodes.say_that_all_is_at(2);
    assert_eq!(get(&cluster).await.unwrap(), "two");
    assert_eq!(get(&cluster).await.unwrap(), "two");
    assert_eq!(nodes.one.heard("GET"), 2, "it is not asked a third time");
    assert_eq!(nodes.two.heard("GET"), 2);
}

#[tokio::test(start_paused = true)]
async fn a_slot_that_is_on_its_way_is_asked_for_at_the_old_place_the_next_time() {
    let nodes = Nodes::new();
    let cluster = nodes.cluster();
    nodes.two.answer("ASKING", "+OK");
    nodes.one.answer("SET", &format!("-ASK {SLOT} fake:2"));
    set(&cluster).await.unwrap();
    set(&cluster).await.unwrap();
    assert_eq!((nodes.one.heard("SET"), nodes.two.heard("SET"), nodes.two.heard("ASKING")), (2, 2, 2));
    // A host that is left out is that of the node.
    nodes.one.answer("SET", &format!("-ASK {SLOT} :2"));
    set(&cluster).await.unwrap();
    assert_eq!(nodes.two.heard("SET"), 3);
}

#[tokio::test(start_paused = true)]
async fn a_command_whose_answer_was_lost_is_never_sent_again() {
    let nodes = Nodes::new();
    let cluster = nodes.cluster();
    get(&cluster).await.unwrap();
    nodes.one.hang();
    let cut = async {
        while nodes.one.heard("SET") == 0 {
            sleep(Duration::from_millis(1)).await;
        }
        nodes.say_that_all_is_at(2);
        nodes.one.cut();
    };
    let (outcome, ()) = tokio::join!(set(&cluster), cut);
    assert!(matches!(outcome, Err(Failure::Broken(_))), "{outcome:?}");
    assert_eq!((nodes.one.heard("SET"), nodes.two.heard("SET")), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn another_master_is_found_when_the_one_is_gone_or_hangs() {
    for hangs in [false, true] {
        let nodes = Nodes::new();
        let cluster = nodes.cluster();
        assert_eq!(get(&cluster).await.unwrap(), "one");
        if hangs {
            nodes.one.hang();
        } else {
            nodes.network.place(1, None);
            nodes.one.cut();
        }
        nodes.two.answer("CLUSTER", "*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$4\r\nfake\r\n:2");
        let began = Instant::now();
        while !matches!(timeout(Duration::from_millis(250), get(&cluster)).await, Ok(Ok(name)) if name == "two") {
            assert!(began.elapsed() < Duration::from_secs(2), "hangs: {hangs}");
        }
        set(&cluster).await.unwrap();
        assert_eq!(nodes.two.heard("SET"), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_for_a_slot_that_has_no_master_for_the_moment() {
    let nodes = Nodes::new();
    let cluster = nodes.cluster();
    nodes.one.answer("SET", "-CLUSTERDOWN Hash slot not served");
    let back = async {
        sleep(Duration::from_millis(200)).await;
        nodes.one.answer("SET", "+OK");
    };
    let (outcome, ()) = tokio::join!(set(&cluster), back);
    outcome.unwrap();
    nodes.one.answer("SET", "-CLUSTERDOWN Hash slot not served");
    let began = Instant::now();
    let failure = set(&cluster).await.unwrap_err();
    assert!(failure.to_string().contains("CLUSTERDOWN") && began.elapsed() < Duration::from_secs(1), "{failure}");
}

/// Many processes ask a node that comes back, and not all at one beat.
#[tokio::test(start_paused = true)]
async fn a_node_that_refuses_for_the_moment_is_asked_after_pauses_that_grow_and_are_drawn_at_random() {
    for refusal in ["-CLUSTERDOWN Hash slot not served", "-TRYAGAIN Multiple keys", "-LOADING Redis is loading"] {
        let mut first_pauses = Vec::new();
        for _ in 0..10 {
            let nodes = Nodes::new();
            let cluster = nodes.cluster();
            get(&cluster).await.unwrap();
            nodes.one.answer("SET", refusal);
            let began = Instant::now();
            set(&cluster).await.unwrap_err();
            assert!(began.elapsed() <= PATIENCE + Duration::from_millis(1), "{:?}", began.elapsed());
            let asked = nodes.one.heard_at("SET");
            let pauses: Vec<_> = asked.windows(2).map(|pair| (pair[1] - pair[0]).as_millis()).collect();
            assert!((5..=12).contains(&asked.len()), "{refusal}: {pauses:?}");
            assert!(pauses[0] <= 21 && pauses[4] >= 50 && pauses.iter().all(|pause| *pause <= 251), "{pauses:?}");
            first_pauses.push(pauses[..3].to_vec());
        }
        first_pauses.dedup();
        assert!(first_pauses.len() > 1, "{refusal}: {first_pauses:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_for_a_slot_that_no_node_has_goes_on_when_one_has_it() {
    let nodes = Nodes::new();
    let cluster = nodes.cluster();
    let all_but_ours = "*1\r\n*3\r\n:0\r\n:100\r\n*2\r\n$4\r\nfake\r\n:1";
    nodes.one.answer("CLUSTER", all_but_ours);
    nodes.two.answer("CLUSTER", all_but_ours);
    let back = async {
        sleep(Duration::from_millis(300)).await;
        nodes.say_that_all_is_at(2);
        let _ = cluster.refresh().await;
    };
    let began = Instant::now();
    let (outcome, ()) = tokio::join!(get(&cluster), back);
    assert_eq!(outcome.unwrap(), "two");
    assert!(began.elapsed() < Duration::from_millis(310), "it does not wait for the end of its pause");
}

/// The node that is asked first may be the last one to hear of a failover.
#[tokio::test(start_paused = true)]
async fn a_ping_asks_again_who_the_masters_are_when_one_does_not_answer() {
    let nodes = Nodes::new();
    nodes.one.demote();
    let cluster = nodes.cluster();
    let heard = async {
        sleep(Duration::from_millis(100)).await;
        nodes.say_that_all_is_at(2);
    };
    let (outcome, ()) = tokio::join!(cluster.ping(), heard);
    outcome.unwrap();
    nodes.say_that_all_is_at(1);
    let failure = cluster.ping().await.unwrap_err();
    assert!(failure.to_string().contains("replica"), "{failure}");
}

#[tokio::test(start_paused = true)]
async fn nodes_that_send_a_command_in_a_circle_end_it() {
    let nodes = Nodes::new();
    let cluster = nodes.cluster();
    nodes.one.answer("SET", &format!("-MOVED {SLOT} fake:2"));
    nodes.two.answer("SET", &format!("-MOVED {SLOT} fake:1"));
    let failure = set(&cluster).await.unwrap_err();
    assert!(failure.to_string().contains("on and on"), "{failure}");
    let heard = nodes.one.heard("SET") + nodes.two.heard("SET");
    assert!(heard <= 17, "{heard}");
    assert_eq!(failure.of_write().kind(), sessionkit_core::StoreErrorKind::Unavailable, "nothing happened");
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_is_away_says_why_and_comes_back() {
    let nodes = Nodes::new();
    let cluster = nodes.cluster();
    for port in [1, 2] {
        nodes.network.place(port, None);
    }
    let failure = get(&cluster).await.unwrap_err();
    assert!(failure.to_string().contains("refused"), "{failure}");
    nodes.network.place(1, Some(&nodes.one));
    assert_eq!(get(&cluster).await.unwrap(), "one");
    // A node that was made to forget the cluster.
    nodes.one.answer("CLUSTER", "*0");
    nodes.network.place(2, None);
    let failure = nodes.cluster().ping().await.unwrap_err();
    assert!(failure.to_string().contains("refused") || failure.to_string().contains("no cluster"), "{failure}");
}
