//! Tests of SessionKit across crates: the servers that they use, the harness of the behaviour suite, and a real browser.

#![deny(missing_docs)]

pub mod browser;
pub mod harness;
pub mod servers;
