//! A Redis master with replicas, watched by sentinels.

#[cfg(test)]
mod tests;

use super::certificates::Certificates;
use super::database::unprivileged_directory;
use super::redis::{NAMES, RedisServer, cli_at, require_installed, shell_line, tls_settings};
use super::shared::{SharedServer, Start};
use super::watchdog::Watchdog;
use super::{before_asking_again, free_port};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The name under which the sentinels know the master.
pub const MASTER_NAME: &str = "mymaster";

/// The longest time that the sentinels may take to find each other, or to agree on a failover.
const PATIENCE: Duration = Duration::from_secs(60);

/// A master, two replicas and three sentinels. Those of its own end when this is dropped, and at the latest with the test
/// process.
///
/// ```no_run
/// use sessionkit_tests::servers::redis_sentinel::RedisSentinels;
///
/// let mut servers = RedisSentinels::start();
/// let master = servers.master();
/// servers.server(master).kill();
/// servers.await_another_master(master);
/// ```
#[derive(Debug)]
pub struct RedisSentinels {
    ports: Vec<u16>,
    sentinel_ports: Vec<u16>,
    servers: Vec<RedisServer>,
    // Dropped before the directories are.
    sentinels: Vec<(Watchdog, TempDir)>,
    /// Those of servers and sentinels that speak TLS, and the directory in which they are.
    certificates: Option<(Certificates, TempDir)>,
    _shared: Option<SharedServer>,
}

impl RedisSentinels {
    /// Starts servers of its own, whose master is replaced when it was silent for two seconds.
    ///
    /// # Panics
    ///
    /// If Redis is not installed, or the servers do not find each other.
    #[must_use]
    pub fn start() -> Self {
        Self::start_with(None)
    }

    /// The same, who speak TLS alone, also among themselves.
    ///
    /// # Panics
    ///
    /// If Redis is not installed, or the servers do not find each other.
    #[must_use]
    pub fn start_with_tls() -> Self {
        let directory = unprivileged_directory("redis-sentinel-tls-");
        Self::start_with(Some((Certificates::create_in(directory.path(), &NAMES), directory)))
    }

    fn start_with(certificates: Option<(Certificates, TempDir)>) -> Self {
        let vouched = certificates.as_ref().map(|(certificates, _)| certificates);
        let start = |more: &[&str]| {
            let options = [&OPTIONS[..], more].concat();
            let server = RedisServer::builder().unprivileged().options(&options);
            vouched.map_or_else(|| server.clone(), |certificates| server.clone().certified(certificates)).start()
        };
        let master = start(&[]);
        let port = master.port().to_string();
        let follow = || start(&["--replicaof", "127.0.0.1", &port]);
        let servers = vec![follow(), follow()];
        let servers: Vec<RedisServer> = [master].into_iter().chain(servers).collect();
        let sentinels = (0..3).map(|_| start_sentinel(servers[0].port(), vouched));
        let (sentinel_ports, sentinels) = sentinels.unzip();
        let ports = servers.iter().map(RedisServer::port).collect();
        let all = Self { ports, sentinel_ports, servers, sentinels, certificates, _shared: None };
        all.await_agreement();
        all
    }

    /// The servers that all test processes share. Each test uses keys of its own, and none can stop them.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<RedisSentinels> = OnceLock::new();
        SHARED.get_or_init(|| {
            require_installed();
            let shared = SharedServer::join("redis-sentinel", || {
                let directory = unprivileged_directory("redis-sentinel-shared-").keep();
                let ports: Vec<u16> = (0..6).map(|_| free_port()).collect();
                let command = shared_command(&directory, &ports);
                let list: Vec<String> = ports.iter().map(u16::to_string).collect();
                fs::write(directory.join("ports"), list.join(" ")).expect("the directory is writable");
                (directory, Start { command, ready: "the sentinels are ready", port: ports[0] })
            });
            let ports = fs::read_to_string(shared.directory.join("ports")).expect("it was written before the start");
            let mut ports: Vec<u16> = ports.split(' ').map(|port| port.parse().expect("a port")).collect();
            let sentinel_ports = ports.split_off(3);
            let (servers, sentinels) = (Vec::new(), Vec::new());
            let all = Self { ports, sentinel_ports, servers, sentinels, certificates: None, _shared: Some(shared) };
            all.await_agreement();
            all
        })
    }

    /// Returns the URL that a client connects to.
    #[must_use]
    pub fn url(&self) -> String {
        let hosts: Vec<String> = self.sentinel_ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
        let scheme = if self.certificates.is_some() { "rediss" } else { "redis" };
        format!("{scheme}+sentinel://{}/{MASTER_NAME}", hosts.join(","))
    }

    /// Returns the PEM file of the certificate authority that a client has to trust; `None` without TLS.
    #[must_use]
    pub fn ca_path(&self) -> Option<&Path> {
        self.certificates.as_ref().map(|(certificates, _)| certificates.ca.as_path())
    }

    /// Returns a server, to do something to it.
    ///
    /// # Panics
    ///
    /// On those that others use too.
    pub fn server(&mut self, index: usize) -> &mut RedisServer {
        assert!(!self.servers.is_empty(), "other tests use these servers too: start some of its own");
        &mut self.servers[index]
    }

    /// Runs redis-cli with a server.
    pub fn cli(&self, index: usize, arguments: &[&str]) -> String {
        cli_at(self.ports[index], self.ca_path(), arguments)
    }

    /// Returns the ports of the servers.
    #[must_use]
    pub fn ports(&self) -> &[u16] {
        &self.ports
    }

    /// Returns the ports of the sentinels.
    #[must_use]
    pub fn sentinel_ports(&self) -> &[u16] {
        &self.sentinel_ports
    }

    /// Runs redis-cli with a sentinel.
    pub fn sentinel_cli(&self, index: usize, arguments: &[&str]) -> String {
        cli_at(self.sentinel_ports[index], self.ca_path(), arguments)
    }

    /// Freezes a sentinel (`SIGSTOP`).
    ///
    /// # Panics
    ///
    /// On those that others use too.
    pub fn pause_sentinel(&mut self, index: usize) {
        self.sentinels[index].0.pause();
    }

    /// Ends a sentinel at once (`SIGKILL`).
    ///
    /// # Panics
    ///
    /// On those that others use too.
    pub fn kill_sentinel(&mut self, index: usize) {
        self.sentinels[index].0.stop();
    }

    /// Returns the index of the server that is the master in the eyes of all sentinels; `None` while they differ.
    pub fn agreed_master(&self) -> Option<usize> {
        let ask = |port: &u16| cli_at(*port, self.ca_path(), &["SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER_NAME]);
        let said: Vec<String> = self.sentinel_ports.iter().map(ask).collect();
        let port: u16 = said[0].lines().last()?.parse().ok()?;
        let index = self.ports.iter().position(|known| *known == port)?;
        said.iter().all(|one| *one == said[0]).then_some(index)
    }

    /// Returns the index of the server that is the master in the eyes of all sentinels.
    ///
    /// # Panics
    ///
    /// If they do not agree.
    pub fn master(&self) -> usize {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(master) = self.agreed_master() {
                return master;
            }
            assert!(Instant::now() < deadline, "the sentinels do not agree on a master");
            before_asking_again();
        }
    }

    /// Waits until another server is the master in the eyes of all sentinels, and returns it.
    ///
    /// # Panics
    ///
    /// If none becomes it.
    pub fn await_another_master(&self, than: usize) -> usize {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(master) = self.agreed_master().filter(|master| *master != than) {
                return master;
            }
            assert!(Instant::now() < deadline, "nobody takes over from {than}");
            before_asking_again();
        }
    }

    /// Makes the sentinels choose another master, also if this one is away, and waits until they have.
    ///
    /// # Panics
    ///
    /// If they do not.
    pub fn fail_over_from(&self, master: usize) -> usize {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.sentinel_cli(0, &["SENTINEL", "FAILOVER", MASTER_NAME]);
            if answer == "OK" || answer.starts_with("INPROG") {
                return self.await_another_master(master);
            }
            // Replicas that were away have to be heard of first.
            assert!(answer.starts_with("NOGOODSLAVE") && Instant::now() < deadline, "{answer}");
            before_asking_again();
        }
    }

    /// Waits until the sentinels know each other and both replicas, and those have caught up.
    fn await_agreement(&self) {
        let deadline = Instant::now() + PATIENCE;
        let knows_all = |port: &u16| {
            let text = cli_at(*port, self.ca_path(), &["SENTINEL", "MASTER", MASTER_NAME]);
            let lines: Vec<&str> = text.lines().collect();
            let is = |name: &str, value: &str| lines.chunks(2).any(|pair| pair == [name, value]);
            is("num-slaves", "2") && is("num-other-sentinels", "2")
        };
        let linked = || {
            let master = self.agreed_master().expect("they agree");
            self.cli(master, &["INFO", "replication"]).matches("state=online").count() == 2
        };
        while !(self.sentinel_ports.iter().all(knows_all) && linked()) {
            assert!(Instant::now() < deadline, "the sentinels do not find each other");
            before_asking_again();
        }
    }
}

/// The options of the servers.
const OPTIONS: [&str; 6] =
    ["--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1", "--enable-debug-command", "local"];

/// Returns the configuration of a sentinel.
fn configuration(port: u16, certificates: Option<&Certificates>, master: u16, silence: u32) -> String {
    let place = match certificates {
        None => format!("port {port}\n"),
        Some(certificates) => {
            let settings = tls_settings(&port.to_string(), certificates)
                .map(|(name, value)| format!("{name} {}\n", value.to_string_lossy()));
            format!("port 0\ntls-replication yes\n{}", settings.concat())
        }
    };
    format!(
        "{place}bind 127.0.0.1\nsentinel monitor {MASTER_NAME} 127.0.0.1 {master} 2\n\
         sentinel down-after-milliseconds {MASTER_NAME} {silence}\n\
         sentinel failover-timeout {MASTER_NAME} 6000\nsentinel parallel-syncs {MASTER_NAME} 2\n"
    )
}

fn start_sentinel(master: u16, certificates: Option<&Certificates>) -> (u16, (Watchdog, TempDir)) {
    let directory = unprivileged_directory("sentinel-");
    let deadline = Instant::now() + PATIENCE;
    loop {
        let port = free_port();
        let file = directory.path().join("sentinel.conf");
        fs::write(&file, configuration(port, certificates, master, 2000)).expect("the directory is writable");
        give_to_owner_of(directory.path(), &file);
        let command = sentinel_command(directory.path(), &file);
        match Watchdog::start(&command, directory.path(), "+monitor master", deadline) {
            Ok((watchdog, _)) => return (port, (watchdog, directory)),
            Err(error) if error.output.contains("in use") && Instant::now() < deadline => {}
            Err(error) => panic!("redis-sentinel {}:\n{}", error.cause, error.output),
        }
    }
}

fn sentinel_command(directory: &Path, file: &Path) -> Command {
    let mut command = Command::new("redis-server");
    command.arg(file).arg("--sentinel").args(["--daemonize", "no", "--dir"]).arg(directory);
    command
}

/// A sentinel writes into its configuration what it learns.
fn give_to_owner_of(directory: &Path, file: &Path) {
    let owner = fs::metadata(directory).expect("the directory exists");
    let _ = chown(file, Some(owner.uid()), Some(owner.gid()));
}

/// Returns the shell that starts the servers and the sentinels, and stands over them.
fn shared_command(directory: &Path, ports: &[u16]) -> Command {
    let mut script = String::new();
    let (servers, sentinels) = ports.split_at(3);
    let master = servers[0].to_string();
    for port in servers {
        let home: PathBuf = directory.join(port.to_string());
        let follow: &[&str] = if *port == servers[0] { &[] } else { &["--replicaof", "127.0.0.1", &master] };
        let server = RedisServer::builder().options(&OPTIONS).options(follow).command(*port, &home, None);
        script += &format!("mkdir -p '{}'\n{} &\n", home.display(), shell_line(&server));
    }
    script += &format!("until redis-cli -p {master} ping >/dev/null; do sleep 0.05; done\n");
    for port in sentinels {
        let file = directory.join(format!("{port}.conf"));
        fs::write(&file, configuration(*port, None, servers[0], 30_000)).expect("the directory is writable");
        give_to_owner_of(directory, &file);
        script += &format!("{} &\n", shell_line(&sentinel_command(directory, &file)));
        script += &format!("until redis-cli -p {port} ping >/dev/null; do sleep 0.05; done\n");
    }
    script += "echo the sentinels are ready\nwait\n";
    let mut command = Command::new("sh");
    command.args(["-c", &script]);
    command
}
