use super::{SharedServer, Start};
use crate::servers::{free_port, temporary_directory};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use std::{fs, thread};

const READY: &str = "Ready to accept connections";

/// Joins a Redis, which starts at once.
fn join(registry: &Path) -> SharedServer {
    SharedServer::join_at(registry, "redis", 1, || {
        let (directory, port) = (temporary_directory("redis-shared-").keep(), free_port());
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--port", &port.to_string()]).arg("--dir").arg(&directory);
        (directory, Start { command, ready: READY, port })
    })
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn one_server_is_shared_and_ends_when_nobody_uses_it() {
    let registry = temporary_directory("registry-");
    let one = join(registry.path());
    let (port, directory) = (one.port, one.directory.clone());
    let recorded = fs::read_to_string(directory.join("shared.pid")).unwrap();
    assert!(recorded.contains("redis-server"), "{recorded}");
    let other = join(registry.path());
    assert_eq!(other.port, port);
    drop(one);
    // It looks once a second.
    thread::sleep(Duration::from_millis(2500));
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    drop(other);
    wait_until("the server ends", || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err());
    wait_until("its directory goes with it", || !directory.exists());
    assert_ne!(join(registry.path()).directory, directory);
}

#[test]
fn a_server_that_ended_by_itself_is_replaced() {
    let registry = temporary_directory("registry-");
    let one = join(registry.path());
    assert!(Command::new("redis-cli").args(["-p", &one.port.to_string(), "SHUTDOWN"]).status().unwrap().success());
    let other = join(registry.path());
    assert_ne!(other.directory, one.directory);
    TcpStream::connect((Ipv4Addr::LOCALHOST, other.port)).unwrap();
}

#[test]
fn many_who_come_at_once_get_one_server() {
    let registry = temporary_directory("registry-");
    let joined = thread::scope(|scope| {
        let joining: Vec<_> = (0..8).map(|_| scope.spawn(|| join(registry.path()))).collect();
        joining.into_iter().map(|joining| joining.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(joined.iter().all(|server| server.port == joined[0].port));
}
