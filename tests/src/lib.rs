//! Tests of SessionKit across crates: the servers that they use, and the harness of the behaviour suite.

#![deny(missing_docs)]

pub mod harness;
pub mod servers;
