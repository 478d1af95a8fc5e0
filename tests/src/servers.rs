//! Real servers for the tests, and ways of breaking the connection to them.
//!
//! A server lives on a free port of the loopback interface, in a temporary directory, and no longer than the test
//! process, however that one ends. The directory is made in `$SESSIONKIT_TEST_DIR` if that is set; there `cargo xtask
//! test` looks for servers that outlived their test even so.

mod certificates;
pub mod chromedriver;
pub mod https;
pub mod proxy;
pub mod redis;
mod watchdog;

use std::net::{Ipv4Addr, TcpListener};
use tempfile::TempDir;

/// A directory for one server.
fn temporary_directory(prefix: &str) -> TempDir {
    let parent = std::env::var_os("SESSIONKIT_TEST_DIR").map_or_else(std::env::temp_dir, Into::into);
    TempDir::with_prefix_in(prefix, &parent)
        .unwrap_or_else(|error| panic!("cannot create a directory in {}: {error}", parent.display()))
}

/// A port that was free a moment ago. Whoever takes it may have lost the race for it, and must try another.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback interface has a free port");
    listener.local_addr().expect("a bound socket has an address").port()
}
