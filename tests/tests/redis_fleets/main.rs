//! Tests of a Redis Cluster and of the master that sentinels name: what fails and what moves while requests go on.

#![allow(clippy::unwrap_used)]

mod backwards;
mod cluster;
mod durability;
mod notices;
mod scans;
mod sentinel;
mod setup;
mod shop;
mod tls;
mod trouble;
