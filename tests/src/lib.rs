//! Tests of SessionKit across crates, and the servers that they use.

pub mod servers;
