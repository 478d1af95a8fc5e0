//! A real Redis server.

#[cfg(test)]
mod tests;

use super::certificates::Certificates;
use super::database::unprivileged_directory;
use super::proxy::FaultProxy;
use super::watchdog::{NotReady, Watchdog};
use super::{free_port, temporary_directory};
use std::ffi::{OsStr, OsString};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The longest time that a start may take; some tens of milliseconds are usual.
const START_DEADLINE: Duration = Duration::from_secs(30);

/// A Redis server of its own, which ends when this is dropped, and at the latest with the test process.
///
/// Its methods block the thread, for some milliseconds as a rule, which a test can afford.
///
/// ```no_run
/// use sessionkit_tests::servers::redis::RedisServer;
///
/// let mut server = RedisServer::builder().persistent().start();
/// assert_eq!(server.cli(&["SET", "key", "value"]), "OK");
/// server.restart();
/// assert_eq!(server.cli(&["GET", "key"]), "value");
/// ```
#[derive(Debug)]
pub struct RedisServer {
    builder: RedisServerBuilder,
    port: u16,
    // Dropped before the directory is.
    watchdog: Watchdog,
    certificates: Option<Certificates>,
    directory: TempDir,
}

/// The description of a server to start; see [`RedisServer::builder`].
#[derive(Clone, Debug, Default)]
pub struct RedisServerBuilder {
    persistent: bool,
    tls: bool,
    /// Those of several servers, instead of some of its own.
    certificates: Option<Box<Certificates>>,
    unprivileged: bool,
    options: Vec<String>,
}

impl RedisServerBuilder {
    /// Writes each command to the disk before it is answered, so that data survive [`RedisServer::restart`].
    #[must_use]
    pub fn persistent(mut self) -> Self {
        self.persistent = true;
        self
    }

    /// Speaks TLS alone, with a certificate for `localhost` and 127.0.0.1 that [`RedisServer::ca_path`] vouches for.
    #[must_use]
    pub fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// Speaks TLS with a certificate that other servers have too, also to those that it connects to.
    pub(super) fn certified(mut self, certificates: &Certificates) -> Self {
        self.tls = true;
        self.certificates = Some(Box::new(certificates.clone()));
        self.options(&["--tls-replication", "yes"])
    }

    /// Runs as a user without privileges if this process is the superuser's.
    #[must_use]
    pub fn unprivileged(mut self) -> Self {
        self.unprivileged = true;
        self
    }

    /// Starts it with these arguments too, such as `--maxclients 10`.
    #[must_use]
    pub fn options(mut self, options: &[&str]) -> Self {
        self.options.extend(options.iter().map(|option| (*option).to_owned()));
        self
    }

    /// Starts the server and returns when it answers.
    ///
    /// # Panics
    ///
    /// If redis-server is not installed, or does not start.
    #[must_use]
    pub fn start(self) -> RedisServer {
        require_installed();
        let directory =
            if self.unprivileged { unprivileged_directory("redis-") } else { temporary_directory("redis-") };
        let create = || Certificates::create_in(directory.path(), &NAMES);
        let certificates = self.tls.then(|| self.certificates.as_deref().cloned().unwrap_or_else(create));
        let deadline = Instant::now() + START_DEADLINE;
        loop {
            let port = free_port();
            let command = self.command(port, directory.path(), certificates.as_ref());
            if let Some(watchdog) = launch(&command, directory.path(), deadline) {
                let server = RedisServer { builder: self, port, watchdog, certificates, directory };
                server.assert_ready();
                return server;
            }
        }
    }

    pub(super) fn command(&self, port: u16, directory: &Path, certificates: Option<&Certificates>) -> Command {
        let port = port.to_string();
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--daemonize", "no"]).arg("--dir").arg(directory);
        if self.persistent {
            command.args(["--appendonly", "yes", "--appendfsync", "always"]);
        } else {
            command.args(["--appendonly", "no"]);
        }
        match certificates {
            None => command.args(["--port", &port]),
            Some(certificates) => {
                command.args(["--port", "0"]);
                for (name, value) in tls_settings(&port, certificates) {
                    command.arg(format!("--{name}")).arg(value);
                }
                &mut command
            }
        };
        command.args(&self.options);
        command
    }
}

impl RedisServer {
    /// Starts a server that keeps nothing on the disk and speaks plain TCP.
    ///
    /// # Panics
    ///
    /// If redis-server is not installed, or does not start.
    #[must_use]
    pub fn start() -> Self {
        Self::builder().start()
    }

    /// Starts with persistence or TLS.
    #[must_use]
    pub fn builder() -> RedisServerBuilder {
        RedisServerBuilder::default()
    }

    /// The one server that all tests of this process share. Each uses keys of its own, and none can stop it.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<RedisServer> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// Returns the URL that a client connects to: `redis://127.0.0.1:<port>/`, or `rediss` for TLS.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_at(self.address())
    }

    /// The same through a proxy.
    #[must_use]
    pub fn url_through(&self, proxy: &FaultProxy) -> String {
        self.url_at(proxy.address())
    }

    /// The server's address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// The server's port, which a restart keeps.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The PEM file of the certificate authority that a TLS client has to trust; `None` without TLS.
    #[must_use]
    pub fn ca_path(&self) -> Option<&Path> {
        self.certificates.as_ref().map(|certificates| certificates.ca.as_path())
    }

    /// Runs redis-cli with these arguments and returns the reply as it prints it, without the line end. An error reply
    /// is returned like any other. While the server is paused, this waits.
    ///
    /// # Panics
    ///
    /// If the server cannot be reached.
    pub fn cli(&self, arguments: &[&str]) -> String {
        cli_at(self.port, self.ca_path(), arguments)
    }

    /// Freezes the server (`SIGSTOP`): its connections stay open, and nothing is answered.
    pub fn pause(&mut self) {
        self.watchdog.pause();
    }

    /// Lets a paused server go on (`SIGCONT`); it then answers what has been sent to it.
    pub fn resume(&mut self) {
        self.watchdog.resume();
    }

    /// Ends the server at once (`SIGKILL`), as a crash would. [`restart`](Self::restart) brings it back.
    pub fn kill(&mut self) {
        self.watchdog.stop();
    }

    /// Kills the server if it runs, starts it again on the same port, and returns when it answers. Only a
    /// [`persistent`](RedisServerBuilder::persistent) one remembers anything.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn restart(&mut self) {
        self.kill();
        let deadline = Instant::now() + START_DEADLINE;
        let command = self.builder.command(self.port, self.directory.path(), self.certificates.as_ref());
        self.watchdog = loop {
            // Another test may hold the port for a moment, in search of a free one.
            if let Some(watchdog) = launch(&command, self.directory.path(), deadline) {
                break watchdog;
            }
        };
        self.assert_ready();
    }

    fn url_at(&self, address: SocketAddr) -> String {
        let scheme = if self.builder.tls { "rediss" } else { "redis" };
        format!("{scheme}://{address}/")
    }

    fn assert_ready(&self) {
        assert_eq!(self.cli(&["PING"]), "PONG");
    }
}

/// The names that the certificates are for.
pub(super) const NAMES: [&str; 2] = ["127.0.0.1", "localhost"];

/// Returns the settings of a server that speaks TLS on a port.
pub(super) fn tls_settings(port: &str, certificates: &Certificates) -> [(&'static str, OsString); 5] {
    [
        ("tls-port", port.into()),
        ("tls-auth-clients", "no".into()),
        ("tls-ca-cert-file", certificates.ca.clone().into()),
        ("tls-cert-file", certificates.certificate.clone().into()),
        ("tls-key-file", certificates.key.clone().into()),
    ]
}

/// Returns the arguments with which redis-cli speaks to a server for which this authority vouches.
pub(super) fn tls_arguments(ca: Option<&Path>) -> Vec<&OsStr> {
    ca.map_or_else(Vec::new, |ca| vec!["--tls".as_ref(), "--cacert".as_ref(), ca.as_os_str()])
}

/// Runs redis-cli with the server on this port, as [`RedisServer::cli`] does.
///
/// # Panics
///
/// If the server cannot be reached.
pub(super) fn cli_at(port: u16, ca: Option<&Path>, arguments: &[&str]) -> String {
    let mut command = Command::new("redis-cli");
    command.args(["-h", "127.0.0.1", "-p", &port.to_string()]).args(tls_arguments(ca)).args(arguments);
    command.stdin(Stdio::null());
    let output = command.output().expect("redis-cli comes with redis-server");
    let reply = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "redis-cli {arguments:?}: {}: {reply} {errors}", output.status);
    reply
}

/// `None` if another server has the port.
fn launch(command: &Command, directory: &Path, deadline: Instant) -> Option<Watchdog> {
    match Watchdog::start(command, directory, "Ready to accept connections", deadline) {
        Ok((watchdog, _)) => Some(watchdog),
        Err(NotReady { output, .. }) if output.contains("in use") && Instant::now() < deadline => None,
        Err(NotReady { output, cause }) => panic!("redis-server {cause}:\n{output}"),
    }
}

pub(super) fn require_installed() {
    let version = Command::new("redis-server").arg("--version").stdout(Stdio::null()).status();
    assert!(
        version.is_ok_and(|status| status.success()),
        "install redis-server, or run `cargo xtask test`, which does"
    );
}

/// Returns a command as a line of a shell.
pub(super) fn shell_line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| format!("'{}'", word.to_string_lossy())).collect::<Vec<_>>().join(" ")
}
