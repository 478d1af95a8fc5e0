//! What `#[derive(SessionData)]` expands to.

mod fields;
mod generics;
mod mistakes;
mod structure;
