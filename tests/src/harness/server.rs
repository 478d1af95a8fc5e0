//! The servers that keep sessions, and can fail.

use std::net::SocketAddr;

use crate::servers::mariadb::MariaDbServer;
use crate::servers::postgres::PostgresServer;
use crate::servers::proxy::FaultProxy;
use crate::servers::redis::RedisServer;

/// A kind of server that keeps sessions.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ServerKind {
    /// Redis.
    Redis,
    /// PostgreSQL.
    Postgres,
    /// MariaDB.
    MariaDb,
}

/// A server of one test, which may do to it what it likes.
#[derive(Debug)]
pub enum TestServer {
    /// A Redis.
    Redis(RedisServer),
    /// A PostgreSQL.
    Postgres(PostgresServer),
    /// A MariaDB.
    MariaDb(MariaDbServer),
}

macro_rules! each {
    ($server:expr, $inner:ident => $call:expr) => {
        match $server {
            TestServer::Redis($inner) => $call,
            TestServer::Postgres($inner) => $call,
            TestServer::MariaDb($inner) => $call,
        }
    };
}

impl TestServer {
    /// Starts one whose data survive its end.
    pub fn start(kind: ServerKind) -> Self {
        match kind {
            ServerKind::Redis => Self::Redis(RedisServer::builder().persistent().start()),
            ServerKind::Postgres => Self::Postgres(PostgresServer::start()),
            ServerKind::MariaDb => Self::MariaDb(MariaDbServer::start()),
        }
    }

    /// Its address.
    pub fn address(&self) -> SocketAddr {
        each!(self, server => server.address())
    }

    /// Returns the URL that a client connects to.
    pub fn url(&self) -> String {
        each!(self, server => server.url())
    }

    /// The same through a proxy.
    pub fn url_through(&self, proxy: &FaultProxy) -> String {
        each!(self, server => server.url_through(proxy))
    }

    /// Freezes it: its connections stay open, and nothing is answered.
    pub fn pause(&mut self) {
        each!(self, server => server.pause());
    }

    /// Lets it go on; it then answers what has been sent to it.
    pub fn resume(&mut self) {
        each!(self, server => server.resume());
    }

    /// Ends it at once, as a crash would.
    pub fn kill(&mut self) {
        each!(self, server => server.kill());
    }

    /// Ends it at once if it runs, starts it again on the same port, and returns when it answers.
    pub fn restart(&mut self) {
        match self {
            Self::Redis(server) => server.restart(),
            Self::Postgres(server) => {
                server.kill();
                server.start_again();
            }
            Self::MariaDb(server) => {
                server.kill();
                server.start_again();
            }
        }
    }
}
