//! The tests' own tools have to be right before they prove anything.

use super::PgBouncer;
use crate::servers::postgres::{PostgresServer, psql};

#[test]
fn clients_share_the_connections_to_the_server() {
    let server = PostgresServer::shared();
    let bouncer = PgBouncer::start(server, 1);
    let backend = || psql(&bouncer.url(), "SELECT pg_backend_pid()");
    assert_eq!(backend(), backend());
    assert_ne!(server.sql("SELECT pg_backend_pid()"), server.sql("SELECT pg_backend_pid()"));
}
