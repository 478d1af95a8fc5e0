//! A master that loads its data, has too many clients, or drops sessions, under traffic that checks every answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use redis::{Connection, FromRedisValue, cmd};
use sessionkit::redis::RedisStore;
use sessionkit_tests::harness::fault::assert_unavailable;
use sessionkit_tests::harness::{Bench, Server, Traffic, Visitor};
use sessionkit_tests::servers::redis_cluster::RedisCluster;
use sessionkit_tests::servers::redis_sentinel::RedisSentinels;
use tokio::task::{JoinHandle, block_in_place};
use tokio::time::timeout;

use crate::shop::{bench, in_a_shop, key_of};

in_a_shop! {
    axum: [
        a_master_of_a_cluster_in_trouble_is_an_outage_for_its_slots_alone,
        a_master_behind_sentinels_in_trouble_is_an_outage_that_ends_with_it,
    ];

    async fn a_master_of_a_cluster_in_trouble_is_an_outage_for_its_slots_alone() {
        let cluster = RedisCluster::start();
        let store = RedisStore::connect(&cluster.url()).await.unwrap();
        let server = shop(&bench(store.clone())).await;
        let mut traffic = Traffic::begin(&server).await;
        let keys: Vec<String> = traffic.tokens().iter().map(|token| key_of(&store, token)).collect();
        let index = cluster.master_of(&keys[0]);
        let elsewhere = keys.iter().position(|key| cluster.master_of(key) != index);
        // Keys with this tag are on that master.
        let tag = format!("{{{}}}", keys[0]);
        let mut master = Master::open(cluster.ports()[index], tag);
        master.refuses_clients(&mut traffic, elsewhere).await;
        master.loads(&mut traffic, elsewhere).await;
        traffic.end().await;

        let mut customers = vec![Customer::log_in(server.visitor(), 0).await];
        while cluster.master_of(&key_of(&store, &customers.last().unwrap().visitor.token().unwrap())) != index {
            customers.push(Customer::log_in(server.visitor(), customers.len()).await);
        }
        master.drops_sessions(customers).await;
    }

    async fn a_master_behind_sentinels_in_trouble_is_an_outage_that_ends_with_it() {
        let servers = RedisSentinels::start();
        let server = shop(&bench(RedisStore::connect(&servers.url()).await.unwrap())).await;
        let mut traffic = Traffic::begin(&server).await;
        let mut master = Master::open(servers.ports()[servers.master()], "other".to_owned());
        master.refuses_clients(&mut traffic, None).await;
        master.loads(&mut traffic, None).await;
        traffic.end().await;
        let mut customers = Vec::new();
        for number in 0..3 {
            customers.push(Customer::log_in(server.visitor(), number).await);
        }
        master.drops_sessions(customers).await;
        // All of that was too short for a failover, which may lose writes.
        assert_eq!(servers.ports()[servers.master()], master.port);
    }
}

/// The keys that are there beside the sessions.
const OTHERS: usize = 900;

/// A master, and a connection to it, on which it can be told to be well again when it takes no other.
struct Master {
    port: u16,
    console: Connection,
    /// The beginning of the names of keys that it has.
    prefix: String,
}

impl Master {
    fn open(port: u16, prefix: String) -> Self {
        let client = redis::Client::open(format!("redis://127.0.0.1:{port}")).unwrap();
        Self { port, console: client.get_connection().unwrap(), prefix }
    }

    fn ask<T: FromRedisValue>(&mut self, words: &[&str]) -> T {
        let mut command = cmd(words[0]);
        command.arg(&words[1..]);
        block_in_place(|| command.query(&mut self.console).unwrap())
    }

    fn set(&mut self, setting: &str, value: &str) {
        assert_eq!(self.ask::<String>(&["CONFIG", "SET", setting, value]), "OK");
    }

    /// Writes keys whose values have so many bytes.
    fn fill(&mut self, round: usize, size: usize) {
        let script = "for i = 1, ARGV[1] do redis.call('SET', KEYS[1] .. ':' .. ARGV[2] .. ':' .. i, string.rep('x', ARGV[3])) end";
        let (key, count, round, size) = (self.prefix.clone(), OTHERS.to_string(), round.to_string(), size.to_string());
        let _: redis::Value = self.ask(&["EVAL", script, "1", &key, &count, &round, &size]);
    }

    /// Closes the connections of the store, and takes no other ones. Sentinels keep theirs, or else they would choose another
    /// master.
    async fn refuses_clients(&mut self, traffic: &mut Traffic, elsewhere: Option<usize>) {
        traffic.all_get(200).await;
        self.set("maxclients", "1");
        let own = self.ask::<i64>(&["CLIENT", "ID"]).to_string();
        let clients: String = self.ask(&["CLIENT", "LIST", "TYPE", "normal"]);
        let nameless = clients.lines().filter(|line| line.contains(" name= "));
        let ids = nameless.filter_map(|line| line.strip_prefix("id=")?.split(' ').next());
        for id in ids.filter(|id| *id != own) {
            let _: i64 = self.ask(&["CLIENT", "KILL", "ID", id]);
        }
        traffic.one_gets(0, 503).await;
        if let Some(elsewhere) = elsewhere {
            traffic.one_gets(elsewhere, 200).await;
        }
        self.set("maxclients", "1000");
        traffic.all_get(200).await;
    }

    /// Makes the server load its data from the disk, which takes more than a second.
    async fn loads(&mut self, traffic: &mut Traffic, elsewhere: Option<usize>) {
        self.fill(0, 100);
        self.set("loading-process-events-interval-bytes", "1024");
        self.set("key-load-delay", "2000");
        // Saved and forgotten in one go, so that nothing is lost.
        let (port, prefix) = (self.port, self.prefix.clone());
        let reload = tokio::task::spawn_blocking(move || Self::open(port, prefix).reload());
        traffic.one_gets(0, 503).await;
        if let Some(elsewhere) = elsewhere {
            traffic.one_gets(elsewhere, 200).await;
        }
        reload.await.unwrap();
        self.set("key-load-delay", "0");
        traffic.all_get(200).await;
    }

    fn reload(mut self) {
        assert_eq!(cmd("DEBUG").arg("RELOAD").query::<String>(&mut self.console).unwrap(), "OK");
    }

    /// Drops keys at random until a session is among them.
    async fn drops_sessions(&mut self, customers: Vec<Customer>) {
        let customers = Customers::begin(customers);
        let mut round = 1;
        let memory: String = self.ask(&["INFO", "memory"]);
        let used: u64 = memory.lines().find_map(|line| line.strip_prefix("used_memory:")).unwrap().parse().unwrap();
        self.set("maxmemory-policy", "allkeys-random");
        // More than its buffers need, for which it would drop everything.
        self.set("maxmemory", &(used + (4 << 20)).to_string());
        let dropped = async {
            while customers.ended.load(Ordering::SeqCst) == 0 {
                self.fill(round, 1000);
                round += 1;
                tokio::task::yield_now().await;
            }
        };
        timeout(Duration::from_secs(30), dropped).await.expect("a session is among those that are dropped");
        self.set("maxmemory", "0");
        customers.end().await;
    }
}

/// Visitors who are logged in under names of their own, and count. Each logs in again when its session has ended.
struct Customers {
    stop: Arc<AtomicBool>,
    /// The sessions that have ended.
    ended: Arc<AtomicUsize>,
    tasks: Vec<JoinHandle<()>>,
}

impl Customers {
    fn begin(customers: Vec<Customer>) -> Self {
        let (stop, ended) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let task = |customer: Customer| tokio::spawn(customer.go_on(stop.clone(), ended.clone()));
        let tasks = customers.into_iter().map(task).collect();
        Self { stop, ended, tasks }
    }

    async fn end(self) {
        self.stop.store(true, Ordering::SeqCst);
        for task in self.tasks {
            task.await.expect("every answer was right");
        }
    }
}

struct Customer {
    name: String,
    visitor: Visitor,
    /// The writes of the session that were acknowledged, and those whose outcome is not known.
    acknowledged: u64,
    refused: u64,
}

impl Customer {
    async fn log_in(visitor: Visitor, number: usize) -> Self {
        let mut customer = Self { name: format!("customer {number}"), visitor, acknowledged: 0, refused: 0 };
        customer.log_in_again().await;
        customer
    }

    async fn go_on(mut self, stop: Arc<AtomicBool>, ended: Arc<AtomicUsize>) {
        let mut goes_on = true;
        // Once more at the end, when nothing is dropped any more.
        while std::mem::replace(&mut goes_on, !stop.load(Ordering::SeqCst)) {
            let answer = self.visitor.get("/add").await;
            match answer.status {
                200 => self.acknowledged += 1,
                _ => {
                    assert_unavailable(&answer, "/add");
                    self.refused += 1;
                }
            }
            let answer = self.visitor.get("/mine").await;
            if answer.status != 200 {
                assert_unavailable(&answer, "/mine");
                continue;
            }
            let (name, views) = answer.body.split_once(": ").unwrap();
            let views: u64 = views.parse().unwrap();
            if name == "nobody" {
                ended.fetch_add(1, Ordering::SeqCst);
                self.log_in_again().await;
            } else {
                assert_eq!(name, self.name, "it is nobody else's session");
                let (least, most) = (self.acknowledged, self.acknowledged + self.refused);
                assert!((least..=most).contains(&views), "{name}: {views} of {least} to {most}");
            }
        }
    }

    async fn log_in_again(&mut self) {
        loop {
            self.visitor = self.visitor.stranger();
            let answer = self.visitor.post("/login", &self.name).await;
            if answer.status == 200 {
                break;
            }
            assert_unavailable(&answer, "/login");
        }
        (self.acknowledged, self.refused) = (0, 0);
    }
}
