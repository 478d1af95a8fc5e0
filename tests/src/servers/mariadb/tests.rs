//! The tests' own tools have to be right before they prove anything.

use super::MariaDbServer;
use std::fs;
use std::io::{ErrorKind, Read};
use std::net::TcpStream;
use std::time::Duration;

#[test]
fn starts_empty_and_ends_with_its_value() {
    let server = MariaDbServer::start();
    let (address, directory) = (server.address(), server.0.directory().to_owned());
    assert_eq!(server.sql("SHOW TABLES"), "");
    let recorded = fs::read_to_string(directory.join("server.pid")).unwrap();
    assert!(recorded.contains("mariadbd"), "{recorded}");
    drop(server);
    assert_eq!(TcpStream::connect(address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    assert!(!directory.exists());
}

#[test]
fn keeps_what_was_committed_however_it_ends() {
    let mut server = MariaDbServer::start();
    server.sql("CREATE TABLE t (n int)");
    let ends: [fn(&mut MariaDbServer); 2] = [MariaDbServer::kill, MariaDbServer::stop];
    for (n, end) in ends.into_iter().enumerate() {
        server.sql(&format!("INSERT INTO t VALUES ({n})"));
        end(&mut server);
        assert_eq!(TcpStream::connect(server.address()).unwrap_err().kind(), ErrorKind::ConnectionRefused);
        server.start_again();
        assert_eq!(server.sql("SELECT count(*) FROM t"), (n + 1).to_string());
    }
}

#[test]
fn paused_answers_later_and_dies_with_the_test_process() {
    let mut server = MariaDbServer::start();
    server.pause();
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let error = stream.read(&mut [0; 4]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
    server.resume();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.read_exact(&mut [0; 4]).unwrap();

    server.pause();
    server.0.close_pipe();
    assert_eq!(TcpStream::connect(server.address()).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    assert!(server.0.is_removed());
}

#[test]
fn is_shared() {
    let server = MariaDbServer::shared();
    assert_eq!(server.address(), MariaDbServer::shared().address());
    assert_eq!(server.sql("SELECT 1; SELECT 'a', 2"), "1\na\t2");
}
