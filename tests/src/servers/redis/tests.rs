//! The tests' own tools have to be right before they prove anything.

use super::RedisServer;
use crate::servers::free_port;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

#[test]
fn starts_empty_and_ends_with_its_value() {
    let server = RedisServer::start();
    let (address, directory) = (server.address(), server.directory.path().to_owned());
    assert_eq!(server.url(), format!("redis://127.0.0.1:{}/", server.port()));
    assert_eq!(server.cli(&["DBSIZE"]), "0");
    assert_eq!(server.ca_path(), None);
    let pid_file = std::fs::read_to_string(directory.join("server.pid")).unwrap();
    let (pid, command_line) = pid_file.split_once('\n').unwrap();
    assert_eq!(pid, server.cli(&["INFO", "server"]).split_once("process_id:").unwrap().1.split_once('\r').unwrap().0);
    assert!(command_line.contains("redis-server"), "{command_line}");

    drop(server);
    assert_eq!(TcpStream::connect(address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    assert!(!directory.exists());
}

#[test]
fn two_servers_do_not_meet() {
    let (one, other) = (RedisServer::start(), RedisServer::start());
    one.cli(&["SET", "key", "value"]);
    assert_eq!(other.cli(&["EXISTS", "key"]), "0");
}

#[test]
fn is_shared_by_the_process() {
    assert_eq!(RedisServer::shared().port(), RedisServer::shared().port());
    assert_eq!(RedisServer::shared().cli(&["PING"]), "PONG");
}

#[test]
fn restart_keeps_the_port_and_forgets() {
    let mut server = RedisServer::start();
    let port = server.port();
    assert_eq!(server.cli(&["SET", "key", "value"]), "OK");
    server.restart();
    assert_eq!(server.port(), port);
    assert_eq!(server.cli(&["EXISTS", "key"]), "0");
}

#[test]
fn persistent_keeps_what_it_answered() {
    let mut server = RedisServer::builder().persistent().start();
    assert_eq!(server.cli(&["SET", "key", "value"]), "OK");
    server.kill();
    TcpStream::connect(server.address()).unwrap_err();
    server.restart();
    assert_eq!(server.cli(&["GET", "key"]), "value");
}

#[test]
fn paused_answers_later() {
    let mut server = RedisServer::start();
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let mut reply = [0; 7];

    server.pause();
    stream.write_all(b"PING\r\n").unwrap();
    let error = stream.read(&mut reply).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");

    server.resume();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream.read_exact(&mut reply).unwrap();
    assert_eq!(&reply, b"+PONG\r\n");
}

#[test]
fn ends_while_paused() {
    let mut server = RedisServer::start();
    let address = server.address();
    server.pause();
    drop(server);
    assert_eq!(TcpStream::connect(address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn dies_with_the_test_process() {
    let mut server = RedisServer::builder().persistent().start();
    server.pause();
    server.watchdog.close_pipe();
    assert_eq!(TcpStream::connect(server.address()).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    assert!(!server.directory.path().exists());
}

#[test]
fn speaks_tls_alone() {
    let mut server = RedisServer::builder().tls().start();
    assert_eq!(server.url(), format!("rediss://127.0.0.1:{}/", server.port()));
    assert!(server.ca_path().unwrap().exists());
    server.restart();
    assert_eq!(server.cli(&["PING"]), "PONG");
    let plain = Command::new("redis-cli").args(["-p", &server.port().to_string(), "PING"]).output().unwrap();
    assert!(!String::from_utf8_lossy(&plain.stdout).contains("PONG"));
}

#[test]
fn another_port_is_taken_after_a_lost_race() {
    use super::{launch, temporary_directory};
    use std::time::Instant;

    let port = free_port();
    let _winner = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let directory = temporary_directory("redis-");
    let command = RedisServer::builder().command(port, directory.path(), None);
    assert!(launch(&command, directory.path(), Instant::now() + super::START_DEADLINE).is_none());
}
