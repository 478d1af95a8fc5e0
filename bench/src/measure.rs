//! The measurements. Each makes a section of the report.

pub mod builds;
pub mod contention;
pub mod devices;
pub mod encryption;
pub mod fleet;
pub mod formats;
pub mod guards;
pub mod in_process;
pub mod macros;
mod note;
pub mod sessions;
pub mod sockets;
pub mod stores;
