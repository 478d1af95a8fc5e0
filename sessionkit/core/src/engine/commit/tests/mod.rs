//! Commits to a store that does what a test says.

mod answers;
mod attack;
mod bench;
mod conflicts;
mod queue;
