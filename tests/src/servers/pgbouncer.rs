//! A real PgBouncer, between a client and a PostgreSQL server.

#[cfg(test)]
mod tests;

use super::database::{program, unprivileged_directory};
use super::free_port;
use super::postgres::{PostgresServer, USER, url_at};
use super::watchdog::{NotReady, Watchdog};
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The longest time that a start may take; some tens of milliseconds are usual.
const START_DEADLINE: Duration = Duration::from_secs(30);

/// A PgBouncer in transaction mode: each transaction of a client may get another connection to the server. It ends when
/// this is dropped, and at the latest with the test process.
#[derive(Debug)]
pub struct PgBouncer {
    port: u16,
    // Dropped before the directory is.
    _watchdog: Watchdog,
    _directory: TempDir,
}

impl PgBouncer {
    /// Starts one in front of a server, to which it opens so many connections at most.
    ///
    /// # Panics
    ///
    /// If PgBouncer is not installed, or does not start.
    #[must_use]
    pub fn start(server: &PostgresServer, connections: usize) -> Self {
        let directory = unprivileged_directory("pgbouncer-");
        let deadline = Instant::now() + START_DEADLINE;
        loop {
            let port = free_port();
            let command = command(port, server.address(), connections, directory.path());
            match Watchdog::start(&command, directory.path(), "process up", deadline) {
                Ok((watchdog, _)) => return Self { port, _watchdog: watchdog, _directory: directory },
                Err(NotReady { output, .. }) if output.contains("in use") && Instant::now() < deadline => {}
                Err(NotReady { output, cause }) => panic!("pgbouncer {cause}:\n{output}"),
            }
        }
    }

    /// Returns the URL of the server's database `postgres`, through this.
    #[must_use]
    pub fn url(&self) -> String {
        url_at((Ipv4Addr::LOCALHOST, self.port).into())
    }
}

fn command(port: u16, server: SocketAddr, connections: usize, directory: &Path) -> Command {
    let (users, settings) = (directory.join("users.txt"), directory.join("pgbouncer.ini"));
    let text = format!(
        "[databases]\n* = host={} port={}\n\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
         unix_socket_dir =\nauth_type = trust\nauth_file = {}\npool_mode = transaction\n\
         default_pool_size = {connections}\nmax_client_conn = 200\n",
        server.ip(),
        server.port(),
        users.display(),
    );
    for (file, text) in [(&users, format!("\"{USER}\" \"\"\n")), (&settings, text)] {
        fs::write(file, text).expect("the server's directory is writable");
    }
    let mut command = Command::new(program("pgbouncer"));
    command.arg(settings);
    command
}
