//! Sentinels that hang, differ, or go away, over a clock that the tests move.

use super::*;
use crate::redis::fake::{FakeServer, Network};

/// The shortest of the default deadlines.
const DEADLINE: Duration = Duration::from_millis(250);

/// Sentinels, of whom each names a master by its port.
struct Watch {
    network: Network,
    servers: Vec<FakeServer>,
    sentinels: Arc<Sentinels>,
}

impl Watch {
    fn new(names: &[u16]) -> Self {
        let (network, mut servers, mut endpoints) = (Network::default(), Vec::new(), Vec::new());
        for (number, named) in (1..).zip(names) {
            let server = FakeServer::master("sentinel");
            name(&server, *named);
            network.place(number, Some(&server));
            servers.push(server);
            endpoints.push(Endpoint::fake(network.clone()).of_node(address(number)));
        }
        Self { network, servers, sentinels: Arc::new(Sentinels::new(endpoints, "mymaster".to_owned())) }
    }
}

fn name(sentinel: &FakeServer, port: u16) {
    sentinel.answer("CLIENT", "+OK");
    sentinel.answer("SENTINEL", &format!("*2\r\n$4\r\nfake\r\n$1\r\n{port}"));
}

fn address(port: u16) -> Address {
    Address { host: "fake".to_owned(), port }
}

#[tokio::test(start_paused = true)]
async fn most_of_them_are_believed_and_each_is_connected_to_once() {
    let watch = Watch::new(&[8, 9, 9]);
    for _ in 0..10 {
        assert_eq!(watch.sentinels.master().await, Ok(address(9)));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(watch.network.attempts().len(), 3, "the slowest one keeps its connection as well");
}

/// Each request after a silence asks them, within its deadline.
#[tokio::test(start_paused = true)]
async fn requests_do_not_wait_again_and_again_for_those_that_hang() {
    for silent in [1, 2, 3] {
        let watch = Watch::new(&[9, 9, 9]);
        let voucher = Voucher::new(watch.sentinels.clone(), address(9));
        assert!(!voucher.names_another().await);
        watch.servers[..silent].iter().for_each(FakeServer::hang);
        let (mut late, rounds) = (0, 10);
        for _ in 0..rounds {
            match timeout(DEADLINE, voucher.names_another()).await {
                Ok(another) => assert!(!another),
                Err(_) => late += 1,
            }
            tokio::time::sleep(Duration::from_secs(3)).await;
        }
        assert!(late <= 1, "{silent} hang: {late} of {rounds} requests were late");
        // They come back, and one by one they are believed.
        watch.servers.iter().for_each(|sentinel| name(sentinel, 8));
        voucher.names_another().await;
        assert!(timeout(DEADLINE, voucher.names_another()).await.unwrap());
    }
}

/// A new connection asks them twice: for the master, and whether it still is.
#[tokio::test(start_paused = true)]
async fn a_connection_is_opened_in_time_while_most_of_them_hang() {
    let watch = Watch::new(&[9, 9, 9]);
    watch.servers[..2].iter().for_each(FakeServer::hang);
    let opened = async {
        let master = watch.sentinels.master().await.unwrap();
        assert!(!Voucher::new(watch.sentinels.clone(), master).names_another().await);
    };
    timeout(Duration::from_millis(800), opened).await.expect("the default for connecting is a second");
}

/// The worker of a server is blocked by a handler while its question is under way.
#[test]
fn a_runtime_that_nobody_drives_holds_up_no_other() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (one, other) = (runtime(), runtime());
    let watch = one.block_on(async { Watch::new(&[9]) });
    watch.servers[0].hang();
    let early = other.block_on(async { timeout(Duration::from_millis(20), watch.sentinels.master()).await });
    assert!(early.is_err(), "it was asked, and did not answer");
    name(&watch.servers[0], 9);
    one.block_on(async {
        // One that is open in the blocked runtime is of no use, and is replaced.
        for _ in 0..2 {
            assert_eq!(watch.sentinels.master().await, Ok(address(9)));
        }
    });
}
