//! A real MariaDB server.

#[cfg(test)]
mod tests;

use super::database::{Database, Kind, program};
use super::proxy::FaultProxy;
use rustix::process::Signal;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The database that every server has.
const DATABASE: &str = "sessionkit";

const KIND: Kind = Kind {
    name: "mariadb",
    ready: "ready for connections",
    initialise: |directory| {
        let mut command = Command::new(program("mariadb-install-db"));
        // It comes first: the machine's configuration is of other servers.
        command.args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]);
        // A script reads them, which knows no values apart from their names.
        command.arg(format!("--datadir={}", directory.join("data").display())).env("TMPDIR", directory);
        command
    },
    serve: |port, directory| {
        let mut command = Command::new(program("mariadbd"));
        command.arg("--no-defaults").arg("--datadir").arg(directory.join("data"));
        command.arg("--tmpdir").arg(directory).args(["--port", &port.to_string()]);
        command.args(["--bind-address=127.0.0.1", "--socket=server.sock", "--pid-file=mariadb.pid"]);
        // It survives the death of the server, which is all that tests can cause: the operating system has the data.
        command.args(["--innodb-flush-log-at-trx-commit=2", "--innodb-use-native-aio=0", "--skip-log-bin"]);
        command.args(["--innodb-buffer-pool-size=64M", "--max-connections=400", "--skip-name-resolve"]);
        command
    },
};

/// A MariaDB server. One of its own ends when this is dropped, and at the latest with the test process.
///
/// Its methods block the thread, for some milliseconds as a rule, which a test can afford.
///
/// ```no_run
/// use sessionkit_tests::servers::mariadb::MariaDbServer;
///
/// let mut server = MariaDbServer::start();
/// assert_eq!(server.sql("SELECT 1 + 1"), "2");
/// server.kill();
/// server.start_again();
/// ```
#[derive(Debug)]
pub struct MariaDbServer(Database);

impl MariaDbServer {
    /// Starts a server of its own with a database `sessionkit`, which takes some seconds.
    ///
    /// # Panics
    ///
    /// If MariaDB is not installed, or does not start.
    #[must_use]
    pub fn start() -> Self {
        let server = Self(Database::start(&KIND));
        server.create_database();
        server
    }

    /// The one server that all test processes share. Each test uses names of its own, and none can stop it.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<MariaDbServer> = OnceLock::new();
        SHARED.get_or_init(|| {
            let server = Self(Database::join(&KIND));
            server.create_database();
            server
        })
    }

    fn create_database(&self) {
        let url = self.url().replace(DATABASE, "mysql");
        mariadb(&url, &format!("CREATE DATABASE IF NOT EXISTS {DATABASE} CHARACTER SET utf8mb4"));
    }

    /// Returns the URL of the database `sessionkit`: `mysql://root@127.0.0.1:<port>/sessionkit`.
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

    /// Runs statements with MariaDB's client, and returns the rows as lines, with a tab between the columns.
    ///
    /// # Panics
    ///
    /// If a statement fails, or the server cannot be reached.
    pub fn sql(&self, statements: &str) -> String {
        mariadb(&self.url(), statements)
    }

    /// Runs statements at a URL, as [`sql`](Self::sql) does.
    pub(crate) fn sql_at(url: &str, statements: &str) -> String {
        mariadb(url, statements)
    }

    /// Freezes the server (`SIGSTOP`): connections stay open, and nothing is answered.
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

    /// Ends the server as an operator does (`SIGTERM`): it closes its connections, and tidies up.
    pub fn stop(&mut self) {
        self.0.ask_to_end(Signal::TERM);
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

fn mariadb(url: &str, statements: &str) -> String {
    let (port, database) = url.rsplit_once(':').and_then(|(_, rest)| rest.split_once('/')).expect("one of our URLs");
    let mut command = Command::new(program("mariadb"));
    command.args(["--no-defaults", "--host=127.0.0.1", "--user=root", "--protocol=tcp", "--skip-ssl"]);
    command.args(["--batch", "--raw", "--skip-column-names", "--port", port]);
    let output = command.args(["--database", database, "--execute", statements]).stdin(Stdio::null()).output();
    let output = output.expect("mariadb was found");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{statements}: {errors}");
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

fn url_at(address: SocketAddr) -> String {
    format!("mysql://root@{address}/{DATABASE}")
}
