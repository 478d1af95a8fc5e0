//! Servers that are demoted, hang or go away, over a clock that the tests move.

use tokio::task::JoinSet;
use tokio::time::{advance, sleep};

use super::*;
use crate::redis::fake::{FakeServer, Network};

/// The time for which a server that was demoted may be believed, whatever happens.
const BOUND: Duration = Duration::from_secs(2);

fn connection(network: &Network) -> Connection {
    Connection::new(Arc::new(Endpoint::fake(network.clone())), Handle::current(), Duration::from_secs(1))
}

/// A connection that was used before, so that the first attempt after its end comes at once.
async fn settled(network: &Network) -> Connection {
    let connection = connection(network);
    get(&connection).await.unwrap();
    sleep(Duration::from_secs(10)).await;
    get(&connection).await.unwrap();
    connection
}

async fn get(connection: &Connection) -> Result<String, Failure> {
    match connection.call(cmd("GET").arg("key")).await? {
        Value::SimpleString(name) => Ok(name),
        other => panic!("not the name of a server: {other:?}"),
    }
}

async fn set(connection: &Connection) -> Result<Value, Failure> {
    connection.call(cmd("SET").arg("key").arg("value")).await
}

#[tokio::test(start_paused = true)]
async fn a_write_to_a_demoted_server_is_sent_to_the_new_master() {
    let (old, new) = (FakeServer::master("old"), FakeServer::master("new"));
    let network = Network::to(&old);
    let connection = settled(&network).await;
    old.demote();
    network.lead_to(Some(&new));
    set(&connection).await.unwrap();
    assert_eq!((old.heard("SET"), new.heard("SET"), network.attempts().len()), (1, 1, 2));
    assert_eq!(get(&connection).await.unwrap(), "new");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_the_connection_is_good_for_nothing_leads_to_another() {
    for answer in ["NOAUTH Authentication required.", "WRONGPASS no", "MASTERDOWN no", "MOVED 1 host:6379", "READONLY"]
    {
        let (old, new) = (FakeServer::master("old"), FakeServer::master("new"));
        let network = Network::to(&old);
        let connection = settled(&network).await;
        old.answer("GET", &format!("-{answer}"));
        network.lead_to(Some(&new));
        assert_eq!(get(&connection).await.unwrap(), "new", "{answer}");
        assert_eq!(network.attempts().len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn other_refusals_leave_the_connection_alone() {
    for answer in ["ERR no", "NOPERM no", "OOM no", "LOADING no", "BUSY no", "NOREPLICAS no"] {
        let server = FakeServer::master("one");
        let network = Network::to(&server);
        let connection = settled(&network).await;
        server.answer("SET", &format!("-{answer}"));
        set(&connection).await.unwrap_err();
        get(&connection).await.unwrap();
        assert_eq!((server.heard("SET"), network.attempts().len()), (1, 1), "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_command_is_sent_once_more_and_no_more() {
    let server = FakeServer::master("one");
    server.answer("SET", "-READONLY");
    let connection = connection(&Network::to(&server));
    let failure = set(&connection).await.unwrap_err();
    assert_eq!(failure.to_string(), "Redis refused: READONLY");
    assert_eq!(server.heard("SET"), 2);
}

#[tokio::test(start_paused = true)]
async fn who_only_reads_notices_within_the_bound() {
    let (old, new) = (FakeServer::master("old"), FakeServer::master("new"));
    let network = Network::to(&old);
    let connection = settled(&network).await;
    for _ in 0..3 {
        old.demote();
        network.lead_to(Some(&new));
        let demoted = Instant::now();
        while get(&connection).await.unwrap() == "old" {
            assert!(demoted.elapsed() < BOUND);
            advance(Duration::from_millis(10)).await;
        }
        assert!(demoted.elapsed() <= Duration::from_millis(1100), "as a rule it takes a second");
    }
}

#[tokio::test(start_paused = true)]
async fn after_a_silence_the_server_is_asked_first() {
    let (old, new) = (FakeServer::master("old"), FakeServer::master("new"));
    let network = Network::to(&old);
    let connection = settled(&network).await;
    old.demote();
    network.lead_to(Some(&new));
    advance(BOUND).await;
    let reads = old.heard("GET");
    assert_eq!(get(&connection).await.unwrap(), "new");
    assert_eq!(old.heard("GET"), reads);
}

#[tokio::test(start_paused = true)]
async fn checks_cost_requests_nothing() {
    let server = FakeServer::master("one");
    let network = Network::to(&server);
    let connection = connection(&network);
    get(&connection).await.unwrap();
    assert_eq!(server.heard("HELLO"), 1, "at dialling");
    for _ in 0..1000 {
        for _ in 0..10 {
            get(&connection).await.unwrap();
        }
        advance(Duration::from_millis(10)).await;
    }
    let checks = server.heard("HELLO");
    assert!((9..=11).contains(&checks), "{checks} in ten seconds of traffic");

    sleep(Duration::from_secs(3600)).await;
    assert_eq!(server.heard("HELLO"), checks, "none while nobody asks");
    let mut reads = JoinSet::new();
    for _ in 0..100 {
        let connection = connection.clone();
        reads.spawn(async move { get(&connection).await.unwrap() });
    }
    reads.join_all().await;
    assert_eq!(server.heard("HELLO"), checks + 1, "callers share a question");
    assert_eq!(network.attempts().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_cannot_be_asked_is_used_until_it_refuses() {
    let (old, new) = (FakeServer::master("old"), FakeServer::master("new"));
    for server in [&old, &new] {
        server.answer("HELLO", "-ERR unknown command 'HELLO'");
    }
    let network = Network::to(&old);
    let connection = settled(&network).await;
    old.answer("SET", "-READONLY");
    network.lead_to(Some(&new));
    assert_eq!(get(&connection).await.unwrap(), "old");
    set(&connection).await.unwrap();
    assert_eq!(get(&connection).await.unwrap(), "new");
}

#[tokio::test(start_paused = true)]
async fn a_replica_is_not_used_and_the_error_says_so() {
    let (old, new) = (FakeServer::master("old"), FakeServer::master("new"));
    old.demote();
    let network = Network::to(&old);
    let connection = connection(&network);
    let failure = get(&connection).await.unwrap_err();
    assert!(failure.to_string().contains("is a replica"), "{failure}");
    assert_eq!(old.heard("GET"), 0);
    network.lead_to(Some(&new));
    sleep(Duration::from_secs(1)).await;
    assert_eq!(get(&connection).await.unwrap(), "new");
}

#[tokio::test(start_paused = true)]
async fn a_hung_server_is_replaced_though_nobody_else_waits_so_long() {
    let (old, new) = (FakeServer::master("old"), FakeServer::master("new"));
    let network = Network::to(&old);
    let connection = settled(&network).await;
    old.hang();
    network.lead_to(Some(&new));
    for _ in 0..2 {
        assert!(timeout(Duration::from_millis(250), get(&connection)).await.is_err());
    }
    let third = timeout(Duration::from_millis(250), get(&connection)).await;
    assert_eq!(third.unwrap().unwrap(), "new");

    // A call without a deadline, after a silence.
    let connection = settled(&Network::to(&new)).await;
    new.hang();
    sleep(BOUND).await;
    timeout(Duration::from_secs(5), get(&connection)).await.unwrap().unwrap_err();
    timeout(Duration::from_secs(5), connection.ping()).await.unwrap().unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_back_within_the_deadline_costs_no_request() {
    let (old, new) = (FakeServer::master("old"), FakeServer::master("new"));
    for away in [0, 20, 50, 100, 150].map(Duration::from_millis) {
        let network = Network::to(&old);
        let connection = settled(&network).await;
        network.lead_to(None);
        old.cut();
        // The client sees it.
        sleep(Duration::from_millis(1)).await;
        let back = async {
            sleep(away).await;
            network.lead_to(Some(&new));
        };
        let (request, ()) = tokio::join!(timeout(Duration::from_millis(250), get(&connection)), back);
        assert_eq!(request.unwrap().unwrap(), "new", "away for {away:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn in_a_long_outage_a_call_waits_for_one_attempt_and_says_what_it_failed_with() {
    let network = Network::default();
    let connection = connection(&network);
    let began = Instant::now();
    let mut waits = Vec::new();
    while began.elapsed() < Duration::from_secs(60) {
        let asked = Instant::now();
        let failure = get(&connection).await.unwrap_err();
        assert!(failure.to_string().contains("refused"), "{failure}");
        waits.push(asked.elapsed());
        advance(Duration::from_millis(10)).await;
    }
    assert!(waits.iter().all(|wait| *wait <= PATIENCE), "{waits:?}");
    assert!(waits[2..].iter().all(|wait| *wait <= Duration::from_millis(252)), "{waits:?}");
    let attempts = network.attempts().len();
    assert!(attempts < 480, "{attempts} in a minute");
}

#[tokio::test(start_paused = true)]
async fn whoever_comes_when_the_server_is_back_has_not_come_in_vain() {
    let server = FakeServer::master("one");
    for outage in 0..20 {
        let network = Network::default();
        let connection = connection(&network);
        let began = Instant::now();
        while began.elapsed() < Duration::from_millis(200 * outage) {
            get(&connection).await.unwrap_err();
        }
        network.lead_to(Some(&server));
        // The deadline of a load, and the millisecond that a timer may be late.
        assert!(timeout(Duration::from_millis(252), get(&connection)).await.is_ok_and(|reply| reply.is_ok()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_fleet_does_not_storm_the_server_that_comes_back() {
    let (old, new) = (FakeServer::master("old"), FakeServer::master("new"));
    let network = Network::to(&old);
    let mut fleet = Vec::new();
    for _ in 0..50 {
        fleet.push(settled(&network).await);
    }
    let before = network.attempts().len();
    old.demote();
    network.lead_to(None);
    let began = Instant::now();
    let mut processes = JoinSet::new();
    for connection in fleet {
        // Each is asked all the time.
        processes.spawn(async move {
            while began.elapsed() < Duration::from_secs(12) {
                let _ = timeout(Duration::from_millis(250), set(&connection)).await;
                sleep(Duration::from_millis(50)).await;
            }
            assert_eq!(get(&connection).await.unwrap(), "new");
        });
    }
    sleep(Duration::from_secs(10)).await;
    network.lead_to(Some(&new));
    processes.join_all().await;

    let attempts: Vec<_> = network.attempts()[before..].iter().map(|at| *at - began).collect();
    let within = |from: f64, to: f64| attempts.iter().filter(|at| (from..to).contains(&at.as_secs_f64())).count();
    assert_eq!(within(0.0, 0.005), 50, "the first attempt comes at once");
    assert!(within(5.0, 10.0) < 50 * 40, "{} attempts in five seconds", within(5.0, 10.0));
    for window in 0..250 {
        let from = 5.0 + f64::from(window) / 50.0;
        let share = within(from, from + 0.02);
        assert!(share < 20, "{share} of 50 come within 20 ms, {from} s after the break");
    }
    assert_eq!(within(10.5, 12.0), 0, "all are back");
}

#[tokio::test(start_paused = true)]
async fn connections_that_break_soon_are_opened_in_pauses() {
    let server = FakeServer::master("one");
    server.answer("SET", "-MOVED 1 host:6379");
    let network = Network::to(&server);
    let connection = connection(&network);
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(10) {
        let _ = get(&connection).await;
        let _ = set(&connection).await;
        advance(Duration::from_millis(1)).await;
    }
    let attempts = network.attempts().len();
    assert!(attempts < 90, "{attempts} in ten seconds");
}

#[tokio::test(start_paused = true)]
async fn no_task_keeps_a_store_alive() {
    let server = FakeServer::master("one");
    let connection = settled(&Network::to(&server)).await;
    // One check is under way, and never answered.
    advance(Duration::from_millis(1500)).await;
    server.hang();
    let _ = timeout(Duration::from_millis(1), get(&connection)).await;
    let shared = Arc::downgrade(&connection.0);
    drop(connection);
    assert!(shared.upgrade().is_none());
}
