//! Real servers for the tests, and ways of breaking the connection to them.
//!
//! A server lives on a free port of the loopback interface, in a temporary directory, and no longer than the test
//! process, however that one ends. The directory is made in `$SESSIONKIT_TEST_DIR` if that is set; there `cargo xtask
//! test` looks for servers that outlived their test even so.

mod certificates;
pub mod chromedriver;
mod database;
pub mod https;
pub mod mariadb;
pub mod pgbouncer;
pub mod postgres;
pub mod proxy;
pub mod redis;
pub mod redis_cluster;
pub mod redis_sentinel;
mod shared;
pub mod sqlite;
mod watchdog;

pub use database::unique_name;
use std::net::{Ipv4Addr, TcpListener};
use tempfile::TempDir;

/// A directory for one server, or one store.
pub(crate) fn temporary_directory(prefix: &str) -> TempDir {
    let parent = std::env::var_os("SESSIONKIT_TEST_DIR").map_or_else(std::env::temp_dir, Into::into);
    TempDir::with_prefix_in(prefix, &parent)
        .unwrap_or_else(|error| panic!("cannot create a directory in {}: {error}", parent.display()))
}

/// Waits a moment before servers are asked again: nothing tells of a change in them, and those who only ask leave them no
/// time.
fn before_asking_again() {
    std::thread::sleep(std::time::Duration::from_millis(20));
}

/// A port that was free a moment ago. A server that takes it may have lost the race for it, and must try another.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback interface has a free port");
    listener.local_addr().expect("a bound socket has an address").port()
}
