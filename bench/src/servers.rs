//! Database servers of our own. They live as those of the tests do, whose code this is, and keep what they acknowledge.

#[allow(dead_code, reason = "the tests restart and freeze theirs, too")]
#[path = "../../tests/src/servers/database.rs"]
mod database;
#[allow(dead_code, reason = "the tests restart and freeze theirs, too")]
#[path = "../../tests/src/servers/shared.rs"]
mod shared;
#[allow(dead_code, reason = "the tests restart and freeze theirs, too")]
#[path = "../../tests/src/servers/watchdog.rs"]
mod watchdog;

use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, MySqlConnection};
use tempfile::TempDir;

use self::database::{Database, Kind, program};
use crate::process::{Result, output};

const POSTGRES: Kind = Kind {
    name: "postgres",
    ready: "database system is ready to accept connections",
    initialise: |directory| {
        let mut command = Command::new(program("initdb"));
        command.args(["--auth=trust", "--no-locale", "--encoding=UTF8", "--no-sync", "--no-instructions"]);
        command.args(["--username", "sessionkit", "--pgdata"]).arg(directory.join("data"));
        command
    },
    // With the settings that it comes with: a commit is on the disk.
    serve: |port, directory| {
        let mut command = Command::new(program("postgres"));
        command.arg("-D").arg(directory.join("data")).args(["-p", &port.to_string()]);
        command.args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]);
        command
    },
};

const MARIADB: Kind = Kind {
    name: "mariadb",
    ready: "ready for connections",
    initialise: |directory| {
        let mut command = Command::new(program("mariadb-install-db"));
        command.args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]);
        command.arg(format!("--datadir={}", directory.join("data").display())).env("TMPDIR", directory);
        command
    },
    // With the settings that it comes with, but for the interface of the kernel, which containers refuse.
    serve: |port, directory| {
        let mut command = Command::new(program("mariadbd"));
        command.arg("--no-defaults").arg("--datadir").arg(directory.join("data"));
        command.arg("--tmpdir").arg(directory).args(["--port", &port.to_string()]);
        command.args(["--bind-address=127.0.0.1", "--socket=server.sock", "--pid-file=mariadb.pid"]);
        command.args(["--innodb-use-native-aio=0", "--skip-name-resolve"]);
        command
    },
};

/// A PostgreSQL server, which ends when this is dropped, and also when this process is killed.
pub struct PostgresServer(Database);

impl PostgresServer {
    pub fn start() -> Self {
        Self(Database::start(&POSTGRES))
    }

    pub fn url(&self) -> String {
        format!("postgres://sessionkit@{}/postgres", self.0.address())
    }
}

/// A MariaDB server, which ends when this is dropped, and also when this process is killed.
pub struct MariaDbServer(Database);

impl MariaDbServer {
    /// Starts a server with a database `sessionkit`.
    pub async fn start() -> Result<Self> {
        let server = Self(Database::start(&MARIADB));
        let connected = MySqlConnection::connect(&format!("mysql://root@{}/mysql", server.0.address())).await;
        let mut connection = connected.map_err(|error| error.to_string())?;
        let create = "CREATE DATABASE sessionkit CHARACTER SET utf8mb4";
        connection.execute(AssertSqlSafe(create)).await.map_err(|error| error.to_string())?;
        Ok(server)
    }

    pub fn url(&self) -> String {
        format!("mysql://root@{}/sessionkit", self.0.address())
    }
}

/// Returns the versions of the servers.
pub fn versions() -> Result<String> {
    let version = |name: &str| {
        let (line, _) = output(Command::new(program(name)).arg("--version"))?;
        // `postgres (PostgreSQL) 15.1`, `mariadbd  Ver 10.11.1-MariaDB for ..`
        let number = line.split_whitespace().find(|word| word.starts_with(|first: char| first.is_ascii_digit()));
        number.map(str::to_owned).ok_or_else(|| format!("{name} tells no version: {line}"))
    };
    Ok(format!("PostgreSQL {}, MariaDB {}", version("postgres")?, version("mariadbd")?))
}

fn temporary_directory(prefix: &str) -> TempDir {
    TempDir::with_prefix(format!("sessionkit-bench-{prefix}")).expect("the directory for temporary files is writable")
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback interface has a free port");
    listener.local_addr().expect("a bound socket has an address").port()
}
