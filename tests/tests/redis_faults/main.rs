//! Tests of matters that only a Redis store can get wrong: failing servers, the data in them, and connections to them.

#![allow(clippy::unwrap_used)]

mod entries;
mod failover;
mod layout;
mod network;
mod notices;
mod refusals;
mod runtimes;
mod setup;
mod support;
mod trouble;
mod types;
