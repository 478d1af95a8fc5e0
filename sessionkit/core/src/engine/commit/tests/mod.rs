//! Commits to a store that does what a test says.

mod answers;
mod bench;
mod conflicts;
mod in_flight;
mod queue;
