//! A Redis Cluster of six nodes.

mod changes;
#[cfg(test)]
mod tests;

use super::certificates::Certificates;
use super::database::unprivileged_directory;
use super::redis::{NAMES, RedisServer, cli_at, require_installed, tls_arguments};
use super::shared::{SharedServer, Start};
use super::{before_asking_again, free_port, redis};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The nodes: three masters, and a replica of each.
const NODES: usize = 6;

/// The longest time that the cluster may take to agree.
const PATIENCE: Duration = Duration::from_secs(60);

/// A cluster of three masters and three replicas. One of its own ends when this is dropped, and at the latest with the
/// test process.
///
/// ```no_run
/// use sessionkit_tests::servers::redis_cluster::RedisCluster;
///
/// let mut cluster = RedisCluster::start();
/// let master = cluster.master_of("key");
/// cluster.node(master).kill();
/// cluster.await_another_master_of("key", master);
/// ```
#[derive(Debug)]
pub struct RedisCluster {
    ports: Vec<u16>,
    nodes: Vec<RedisServer>,
    /// Those of nodes that speak TLS, and the directory in which they are.
    certificates: Option<(Certificates, TempDir)>,
    _shared: Option<SharedServer>,
}

impl RedisCluster {
    /// Starts a cluster of its own, in which a master is replaced when it was silent for two seconds.
    ///
    /// # Panics
    ///
    /// If Redis is not installed, or the nodes do not find each other.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(None)
    }

    /// The same, whose nodes speak TLS alone, also among themselves.
    ///
    /// # Panics
    ///
    /// If Redis is not installed, or the nodes do not find each other.
    #[must_use]
    pub fn start_with_tls() -> Self {
        let directory = unprivileged_directory("redis-cluster-tls-");
        Self::start_with(Some((Certificates::create_in(directory.path(), &NAMES), directory)))
    }

    fn start_with(certificates: Option<(Certificates, TempDir)>) -> Self {
        let node = |_| {
            let bus = free_port().to_string();
            let options = [&OPTIONS[..], &["--cluster-port", &bus]].concat();
            let node = RedisServer::builder().unprivileged().options(&options);
            match &certificates {
                None => node.start(),
                Some((certificates, _)) => node.certified(certificates).options(&["--tls-cluster", "yes"]).start(),
            }
        };
        let nodes: Vec<RedisServer> = (0..NODES).map(node).collect();
        let ports: Vec<u16> = nodes.iter().map(RedisServer::port).collect();
        let mut create = Command::new("redis-cli");
        create.args(tls_arguments(nodes[0].ca_path())).args(create_arguments(&ports)).stdin(Stdio::null());
        let output = create.output().expect("redis-cli comes with redis-server");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        let cluster = Self { ports, nodes, certificates, _shared: None };
        cluster.await_replicas();
        cluster.await_agreement();
        cluster
    }

    /// The one cluster that all test processes share. Each test uses keys of its own, and none can stop it.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<RedisCluster> = OnceLock::new();
        SHARED.get_or_init(|| {
            require_installed();
            let shared = SharedServer::join("redis-cluster", || {
                let directory = unprivileged_directory("redis-cluster-shared-").keep();
                let ports: Vec<u16> = (0..NODES).map(|_| free_port()).collect();
                let command = shared_command(&directory, &ports);
                let list: Vec<String> = ports.iter().map(u16::to_string).collect();
                fs::write(directory.join("ports"), list.join(" ")).expect("the directory is writable");
                (directory, Start { command, ready: "the cluster is ready", port: ports[0] })
            });
            let ports = fs::read_to_string(shared.directory.join("ports")).expect("it was written before the start");
            let ports = ports.split(' ').map(|port| port.parse().expect("a port")).collect();
            let cluster = Self { ports, nodes: Vec::new(), certificates: None, _shared: Some(shared) };
            cluster.await_replicas();
            cluster.await_agreement();
            // Who is patient is slow to find the others. From now on no test is to be disturbed.
            cluster.replace_after(Duration::from_secs(15));
            cluster
        })
    }

    /// Sets the time of silence after which a master is replaced, at all nodes that run.
    pub fn replace_after(&self, silence: Duration) {
        let silence = silence.as_millis().to_string();
        for port in &self.ports {
            self.ask_in_time(*port, &["CONFIG", "SET", "cluster-node-timeout", &silence]);
        }
    }

    /// Returns the URL that a client connects to, which names three of the nodes.
    #[must_use]
    pub fn url(&self) -> String {
        let nodes: Vec<String> = self.ports[..3].iter().map(|port| format!("127.0.0.1:{port}")).collect();
        let scheme = if self.certificates.is_some() { "rediss" } else { "redis" };
        format!("{scheme}+cluster://{}", nodes.join(","))
    }

    /// Returns the PEM file of the certificate authority that a client has to trust; `None` without TLS.
    #[must_use]
    pub fn ca_path(&self) -> Option<&Path> {
        self.certificates.as_ref().map(|(certificates, _)| certificates.ca.as_path())
    }

    /// Returns the ports of all nodes.
    #[must_use]
    pub fn ports(&self) -> &[u16] {
        &self.ports
    }

    /// Returns a node, to do something to it.
    ///
    /// # Panics
    ///
    /// On the cluster that others use too.
    pub fn node(&mut self, index: usize) -> &mut RedisServer {
        assert!(!self.nodes.is_empty(), "other tests use this cluster too: start one of its own");
        &mut self.nodes[index]
    }

    /// Runs redis-cli with a node, as [`RedisServer::cli`] does.
    pub fn cli(&self, index: usize, arguments: &[&str]) -> String {
        cli_at(self.ports[index], self.ca_path(), arguments)
    }

    /// Runs redis-cli with the node that has the key.
    pub fn cli_with_key(&self, key: &str, arguments: &[&str]) -> String {
        self.cli(self.master_of(key), arguments)
    }

    /// Returns the slot of a key.
    pub fn slot_of(&self, key: &str) -> u16 {
        let ask = |port: &u16| self.ask_in_time(*port, &["CLUSTER", "KEYSLOT", key])?.trim().parse().ok();
        self.ports.iter().find_map(ask).expect("one node runs")
    }

    /// Returns the index of the node that is the master of a key, in the eyes of a majority.
    pub fn master_of(&self, key: &str) -> usize {
        let slot = self.slot_of(key);
        self.master_of_slot(slot).expect("the slot has a master")
    }

    /// Returns the index of the node that is the master of a slot, in the eyes of a majority.
    pub fn master_of_slot(&self, slot: u16) -> Option<usize> {
        let mut votes = HashMap::new();
        for nodes in self.view().values() {
            for node in nodes.iter().filter(|node| node.is_master && node.has(slot)) {
                *votes.entry(node.port).or_insert(0) += 1;
            }
        }
        let (port, votes) = votes.into_iter().max_by_key(|(_, votes)| *votes)?;
        (votes > NODES / 2 - 1).then(|| self.index_of(port))
    }

    /// Returns the masters, in the same order each time.
    pub fn masters(&self) -> Vec<usize> {
        let view = self.view();
        let nodes = view.values().next().expect("one node runs");
        let masters = nodes.iter().filter(|node| node.is_master && !node.slots.is_empty());
        let mut masters: Vec<usize> = masters.map(|node| self.index_of(node.port)).collect();
        masters.sort_unstable();
        masters
    }

    /// Returns the replicas of a node.
    pub fn replicas_of(&self, index: usize) -> Vec<usize> {
        let view = self.view();
        // Its own view, if it runs: the others hear of a change later.
        let nodes = view.get(&index).or_else(|| view.values().next()).expect("one node runs");
        let master = nodes.iter().find(|node| node.port == self.ports[index]).expect("the node is known");
        let replicas = nodes.iter().filter(|node| node.follows == master.id);
        replicas.map(|node| self.index_of(node.port)).collect()
    }

    /// Waits until another node is the master of a key, and returns it.
    ///
    /// # Panics
    ///
    /// If none becomes it.
    pub fn await_another_master_of(&self, key: &str, than: usize) -> usize {
        let slot = self.slot_of(key);
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(master) = self.master_of_slot(slot).filter(|master| *master != than) {
                return master;
            }
            assert!(Instant::now() < deadline, "nobody takes over from {than}");
            before_asking_again();
        }
    }

    /// Returns the names of all keys that look like this, on all masters.
    pub fn keys(&self, pattern: &str) -> Vec<String> {
        let of = |master| self.cli(master, &["--raw", "KEYS", pattern]);
        let all: Vec<String> = self.masters().into_iter().map(of).collect();
        all.iter().flat_map(|keys| keys.lines()).filter(|key| !key.is_empty()).map(str::to_owned).collect()
    }

    /// Waits until all nodes that run agree on who is there, and the replicas have caught up.
    ///
    /// # Panics
    ///
    /// If they do not.
    pub fn await_agreement(&self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let view = self.view();
            let agreed = view.iter().all(|(index, nodes)| {
                let masters = nodes.iter().filter(|node| node.is_master && !node.failed && !node.slots.is_empty());
                let slots: usize =
                    masters.flat_map(|node| &node.slots).map(|(first, last)| (last - first) as usize + 1).sum();
                let linked = || {
                    let info = self.cli(*index, &["INFO", "replication"]);
                    info.contains("role:master") || info.contains("master_link_status:up")
                };
                let state = || self.cli(*index, &["CLUSTER", "INFO"]);
                slots == 16384 && state().contains("cluster_state:ok") && linked()
            });
            let masters_of = |nodes: &Vec<Node>| {
                let masters = nodes.iter().filter(|node| node.is_master && !node.failed && !node.slots.is_empty());
                let mut ports: Vec<u16> = masters.map(|node| node.port).collect();
                ports.sort_unstable();
                ports
            };
            let mut masters = view.values().map(masters_of);
            let first = masters.next();
            let is_one_view = masters.all(|others| Some(others) == first);
            if agreed && first.is_some() && is_one_view {
                return;
            }
            assert!(Instant::now() < deadline, "the nodes do not agree: {view:?}");
            before_asking_again();
        }
    }

    /// Waits until every node has heard of the replica of each master: it is told of them one by one.
    fn await_replicas(&self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let view = self.view();
            let knows_all = |nodes: &Vec<Node>| {
                let masters: Vec<_> = nodes.iter().filter(|node| node.is_master).collect();
                let is_followed = |master: &&Node| nodes.iter().any(|node| node.follows == master.id);
                masters.len() == NODES / 2 && masters.iter().all(is_followed)
            };
            if view.len() == NODES && view.values().all(knows_all) {
                return;
            }
            assert!(Instant::now() < deadline, "the nodes do not know one another: {view:?}");
            before_asking_again();
        }
    }

    fn id_of(&self, index: usize) -> String {
        self.cli(index, &["CLUSTER", "MYID"])
    }

    fn index_of(&self, port: u16) -> usize {
        self.ports.iter().position(|known| *known == port).expect("a node of this cluster")
    }

    /// Returns the nodes in the eyes of each node that answers.
    fn view(&self) -> HashMap<usize, Vec<Node>> {
        let ask = |index: usize| {
            let text = self.ask_in_time(self.ports[index], &["CLUSTER", "NODES"])?;
            Some((index, text.lines().filter_map(Node::parse).collect()))
        };
        (0..NODES).filter_map(ask).collect()
    }

    /// Asks a node that may be frozen or gone; returns its answer if there is one.
    fn ask_in_time(&self, port: u16, question: &[&str]) -> Option<String> {
        let mut command = Command::new("timeout");
        command.args(["1", "redis-cli", "-p", &port.to_string()]).args(tls_arguments(self.ca_path())).args(question);
        let output = command.stdin(Stdio::null()).output().expect("redis-cli comes with redis-server");
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// A node in the eyes of another one.
#[derive(Debug)]
struct Node {
    id: String,
    port: u16,
    is_master: bool,
    failed: bool,
    follows: String,
    slots: Vec<(u16, u16)>,
}

impl Node {
    fn parse(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split(' ').collect();
        let (address, _) = words.get(1)?.split_once('@')?;
        let flags = words.get(2)?;
        let slots = words.get(8..).unwrap_or_default().iter().filter(|slots| !slots.starts_with('['));
        let range = |slots: &&str| {
            let (first, last) = slots.split_once('-').unwrap_or((slots, slots));
            Some((first.parse().ok()?, last.parse().ok()?))
        };
        Some(Self {
            id: words[0].to_owned(),
            port: address.rsplit_once(':')?.1.parse().ok()?,
            is_master: flags.contains("master"),
            failed: flags.split(',').any(|flag| flag == "fail"),
            follows: words.get(3)?.to_string(),
            slots: slots.filter_map(range).collect(),
        })
    }

    fn has(&self, slot: u16) -> bool {
        self.slots.iter().any(|(first, last)| (*first..=*last).contains(&slot))
    }
}

/// The options of a node.
const OPTIONS: [&str; 14] = [
    "--cluster-enabled",
    "yes",
    "--cluster-node-timeout",
    "2000",
    "--repl-diskless-sync-delay",
    "0",
    // A replica that was cut off for a while may take over all the same.
    "--cluster-replica-validity-factor",
    "0",
    "--cluster-allow-replica-migration",
    "no",
    "--repl-ping-replica-period",
    "1",
    "--enable-debug-command",
    "local",
];

fn create_arguments(ports: &[u16]) -> Vec<String> {
    let nodes = ports.iter().map(|port| format!("127.0.0.1:{port}"));
    let fixed = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let create = fixed(&["--cluster", "create"]).into_iter().chain(nodes);
    create.chain(fixed(&["--cluster-replicas", "1", "--cluster-yes"])).collect()
}

/// Returns the shell that starts the nodes, joins them, and stands over them.
fn shared_command(directory: &Path, ports: &[u16]) -> Command {
    let mut script = String::new();
    for port in ports {
        let home: PathBuf = directory.join(port.to_string());
        let bus = free_port().to_string();
        let options = [&OPTIONS[..], &["--cluster-port", &bus]].concat();
        let server = RedisServer::builder().options(&options).command(*port, &home, None);
        script += &format!("mkdir -p '{}'\n{} &\n", home.display(), redis::shell_line(&server));
    }
    for port in ports {
        script += &format!("until redis-cli -p {port} ping >/dev/null; do sleep 0.05; done\n");
    }
    let arguments = create_arguments(ports).join(" ");
    script += &format!("redis-cli {arguments} && echo the cluster is ready\nwait\n");
    let mut command = Command::new("sh");
    command.args(["-c", &script]);
    command
}
