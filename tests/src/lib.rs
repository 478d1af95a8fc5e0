//! Tests of SessionKit across crates: the servers that they use, the harness of the behaviour suite, and a real browser.

#![deny(missing_docs)]

pub mod browser;
pub mod fuzz;
pub mod harness;
pub mod peers;
pub mod servers;
pub mod writer;

/// Begins a call of the cargo that built the tests, without the variables that tell a test of its own package: for build
/// scripts that look at them, everything would have to be built again.
#[must_use]
pub fn cargo() -> std::process::Command {
    let mut cargo = std::process::Command::new(env!("CARGO"));
    let of_package = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(of_package)) {
        cargo.env_remove(name);
    }
    cargo
}
