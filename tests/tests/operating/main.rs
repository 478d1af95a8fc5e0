//! The operator's side of a manager: sweeping, readiness, and ending a session by its id.

mod clock_skew;
mod ending;
mod health;
mod support;
mod sweeping;
