//! The program `sessionkit`, with real stores.

mod audit;
mod codes;
mod encryption;
mod ending;
mod maintenance;
mod shown;
mod support;
mod tls;
