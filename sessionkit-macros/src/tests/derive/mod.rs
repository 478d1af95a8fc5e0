//! The expansion of `#[derive(SessionData)]`.

mod fields;
mod generics;
mod mistakes;
mod structure;
