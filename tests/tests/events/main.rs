//! Tests of events: the changes of sessions, and the sinks that hear of them.

mod actors;
mod audit;
mod audit_end;
mod audit_order;
mod called;
mod denials;
mod failures;
mod kinds;
mod metrics;
mod revocations;
mod row_15;
mod row_18;
mod secrets;
mod sinks;
mod support;
