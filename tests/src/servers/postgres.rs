//! A real PostgreSQL server.

#[cfg(test)]
mod tests;

use super::certificates::Certificates;
use super::database::{Database, Kind, program};
use super::proxy::FaultProxy;
use rustix::process::Signal;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

/// The superuser of the servers, whom they trust.
pub(super) const USER: &str = "sessionkit";

const KIND: Kind = Kind {
    name: "postgres",
    ready: "database system is ready to accept connections",
    initialise: |directory| {
        let mut command = Command::new(program("initdb"));
        command.args(["--auth=trust", "--no-locale", "--encoding=UTF8", "--no-sync", "--no-instructions"]);
        command.args(["--username", USER, "--pgdata"]).arg(directory.join("data"));
        command
    },
    serve: |port, directory| {
        // What a server leaves that is killed. Its process id may still be taken, by what no parent has buried yet.
        let _ = fs::remove_file(directory.join("data").join("postmaster.pid"));
        let mut command = Command::new(program("postgres"));
        command.arg("-D").arg(directory.join("data")).args(["-p", &port.to_string()]);
        // It survives the death of the server, which is all that tests can cause: the operating system has the data.
        let no_sync = ["fsync=off", "full_page_writes=off"];
        let network = ["listen_addresses=127.0.0.1", "unix_socket_directories="];
        let many = ["max_connections=400", "shared_buffers=32MB"];
        for setting in no_sync.iter().chain(&network).chain(&many) {
            command.args(["-c", setting]);
        }
        command
    },
};

/// A PostgreSQL server. One of its own ends when this is dropped, and at the latest with the test process.
///
/// Its methods block the thread, for some milliseconds as a rule, which a test can afford.
///
/// ```no_run
/// use sessionkit_tests::servers::postgres::PostgresServer;
///
/// let mut server = PostgresServer::start();
/// assert_eq!(server.sql("SELECT 1 + 1"), "2");
/// server.kill();
/// server.start_again();
/// ```
#[derive(Debug)]
pub struct PostgresServer(Database);

impl PostgresServer {
    /// Starts a server of its own, which takes a second or two.
    ///
    /// # Panics
    ///
    /// If PostgreSQL is not installed, or does not start.
    #[must_use]
    pub fn start() -> Self {
        Self(Database::start(&KIND))
    }

    /// The one server that all test processes share. Each test uses names of its own, and none can stop it.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<PostgresServer> = OnceLock::new();
        SHARED.get_or_init(|| Self(Database::join(&KIND)))
    }

    /// Returns the URL of the database `postgres`: `postgres://sessionkit@127.0.0.1:<port>/postgres`.
    #[must_use]
    pub fn url(&self) -> String {
        url_at(self.address())
    }

    /// The same through a proxy.
    #[must_use]
    pub fn url_through(&self, proxy: &FaultProxy) -> String {
        url_at(proxy.address())
    }

    /// The server's address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.address()
    }

    /// Runs statements with psql, and returns the rows as lines, with `|` between the columns.
    ///
    /// # Panics
    ///
    /// If a statement fails, or the server cannot be reached.
    pub fn sql(&self, statements: &str) -> String {
        psql(&self.url(), statements)
    }

    /// Runs statements at a URL, as [`sql`](Self::sql) does.
    pub(crate) fn sql_at(url: &str, statements: &str) -> String {
        psql(url, statements)
    }

    /// Lets the server take connections over TLS, too, with a certificate for `localhost`. Returns the certificate of the
    /// authority, which lies in this directory.
    ///
    /// # Panics
    ///
    /// If the server refuses.
    pub fn offer_tls(&self, directory: &Path) -> PathBuf {
        let certificates = Certificates::create_in(directory, &["localhost"]);
        let data = self.sql("SHOW data_directory");
        // The server's user writes them, as nobody else can give them to that user.
        for (name, path) in [("server.crt", &certificates.certificate), ("server.key", &certificates.key)] {
            let pem = fs::read_to_string(path).expect("it was just written");
            let lines = pem.trim_end().replace('\n', "', '");
            let write = format!("umask 077; cat > \"{data}/{name}\"");
            self.sql(&format!("COPY (SELECT unnest(ARRAY['{lines}'])) TO PROGRAM '{write}'"));
        }
        self.sql("ALTER SYSTEM SET ssl = on");
        self.sql("SELECT pg_reload_conf()");
        // The server's processes learn it one after the other.
        for _ in 0..1000 {
            if self.sql("SHOW ssl") == "on" {
                return certificates.ca;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the server does not take the certificate");
    }

    /// Freezes the server and all its processes (`SIGSTOP`): connections stay open, and nothing is answered.
    pub fn pause(&mut self) {
        self.0.pause();
    }

    /// Lets a paused server go on (`SIGCONT`); it then answers what has been sent to it.
    pub fn resume(&mut self) {
        self.0.resume();
    }

    /// Ends the server at once (`SIGKILL`), as a crash would. Committed transactions survive it.
    pub fn kill(&mut self) {
        self.0.kill();
    }

    /// Ends the server as `pg_ctl stop -m immediate` does: clients are told, and nothing is tidied up.
    pub fn stop_immediately(&mut self) {
        self.0.ask_to_end(Signal::QUIT);
    }

    /// Ends the server as `pg_ctl stop -m fast` does, which is how it is restarted on purpose: clients are told.
    pub fn stop(&mut self) {
        self.0.ask_to_end(Signal::INT);
    }

    /// Starts the server again on the same port, and returns when it answers.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn start_again(&mut self) {
        self.0.start_again();
    }
}

/// Runs statements with psql at this URL, and returns the rows as lines, with `|` between the columns.
///
/// # Panics
///
/// If a statement fails, or the server cannot be reached.
pub(super) fn psql(url: &str, statements: &str) -> String {
    let mut command = Command::new(program("psql"));
    command.args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1"]);
    let output = command.args(["--dbname", url, "--command", statements]).stdin(Stdio::null()).output();
    let output = output.expect("psql was found");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{statements}: {errors}");
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

pub(super) fn url_at(address: SocketAddr) -> String {
    format!("postgres://{USER}@{address}/postgres")
}
