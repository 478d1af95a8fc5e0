//! SessionKit and its peers, side by side. `cargo xtask bench` builds and runs this.
//!
//! The program measures by starting itself again: one process per measurement, so that no candidate inherits the heap
//! or the caches of another.

pub mod apps;
pub mod candidate;
pub mod children;
pub mod content;
pub mod fleet;
pub mod in_process;
pub mod load;
pub mod measure;
pub mod process;
pub mod project;
pub mod redis_server;
pub mod report;
pub mod servers;
pub mod stores;
pub mod table;
