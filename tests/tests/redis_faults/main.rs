//! What only a Redis store can get wrong: a server that fails, what lies in it, and how to reach it.

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
mod types;
