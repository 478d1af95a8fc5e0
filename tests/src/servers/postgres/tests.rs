//! The tests' own tools have to be right before they prove anything.

use super::PostgresServer;
use crate::servers::database::program;
use sqlx::{Connection as _, PgConnection};
use std::io::ErrorKind;
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};
use tokio::time::timeout;

/// A client with a statement that takes a minute.
fn busy_client(server: &PostgresServer) -> Child {
    let mut command = Command::new(program("psql"));
    command.args(["--no-psqlrc", "--dbname", &server.url(), "--command", "SELECT pg_sleep(60)"]);
    let client = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let is_busy = || server.sql("SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'") == "1";
    while !is_busy() {}
    client
}

/// Waits until the client has lost its server.
fn assert_ends(mut client: Child) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while client.try_wait().unwrap().is_none() {
        assert!(Instant::now() < deadline, "a process of the server lives on");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn starts_empty_and_ends_with_its_value() {
    let server = PostgresServer::start();
    let (address, directory) = (server.address(), server.0.directory().to_owned());
    let tables = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'";
    assert_eq!(server.sql(tables), "0");
    let recorded = fs::read_to_string(directory.join("server.pid")).unwrap();
    assert!(recorded.contains("postgres"), "{recorded}");
    let client = busy_client(&server);
    drop(server);
    assert_eq!(TcpStream::connect(address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    assert!(!directory.exists());
    assert_ends(client);
}

#[test]
fn keeps_what_was_committed_however_it_ends() {
    let mut server = PostgresServer::start();
    server.sql("CREATE TABLE t (n int)");
    let ends: [fn(&mut PostgresServer); 3] =
        [PostgresServer::kill, PostgresServer::stop_immediately, PostgresServer::stop];
    for (n, end) in ends.into_iter().enumerate() {
        server.sql(&format!("INSERT INTO t VALUES ({n})"));
        let client = busy_client(&server);
        end(&mut server);
        assert_ends(client);
        assert_eq!(TcpStream::connect(server.address()).unwrap_err().kind(), ErrorKind::ConnectionRefused);
        server.start_again();
        assert_eq!(server.sql("SELECT count(*) FROM t"), (n + 1).to_string());
    }
}

#[tokio::test]
async fn paused_answers_later_and_ends_while_paused() {
    let mut server = PostgresServer::start();
    // It has a process of its own, which could go on while the first one is paused.
    let mut connection = PgConnection::connect(&server.url()).await.unwrap();
    server.pause();
    let mut asked = Box::pin(sqlx::query("SELECT 1").execute(&mut connection));
    assert!(timeout(Duration::from_millis(300), &mut asked).await.is_err(), "its process was not paused");
    server.resume();
    timeout(Duration::from_secs(30), asked).await.unwrap().unwrap();

    let client = busy_client(&server);
    server.pause();
    drop(server);
    assert_ends(client);
}

#[test]
fn dies_with_the_test_process_though_paused() {
    let mut server = PostgresServer::start();
    let client = busy_client(&server);
    server.pause();
    server.0.close_pipe();
    assert_ends(client);
    assert!(server.0.is_removed());
}

#[test]
fn is_shared() {
    let server = PostgresServer::shared();
    assert_eq!(server.address(), PostgresServer::shared().address());
    assert_eq!(server.sql("SELECT 1; SELECT 'a', 2"), "1\na|2");
}
