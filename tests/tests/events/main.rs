//! What happens to sessions, and who is told.

mod audit;
mod audit_order;
mod kinds;
mod metrics;
mod row_15;
mod row_18;
mod sinks;
mod support;
