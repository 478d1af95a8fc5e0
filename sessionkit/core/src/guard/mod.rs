//! Guards: the decision who may call a handler.
//!
//! A [`Check`] says its conditions one after the other to [`Subjects`], which is a machine: each condition has two
//! values, now and after a login, and operators combine them. What a condition needs and is not loaded yet is an
//! [`Interrupted`]; the guard awaits it and says everything again.

mod called;
mod check;
mod condition;
mod decide;
mod denial;
mod frames;
mod interrupted;
mod predicate;
mod request;
mod require_user;
mod requirement;
mod rules;
mod subject;
mod subjects;
#[cfg(test)]
mod tests;

pub use check::{Check, GuestOnly, Public, RequireFresh, RequireLogin};
pub use decide::guard;
pub use frames::Operator;
pub use interrupted::{Interrupted, PendingFetch};
pub use predicate::{Predicate, Verdict};
pub use request::GuardedRequest;
pub use require_user::require_user;
pub use requirement::Requirement;
pub use rules::{Rules, guard_by};
pub use subject::{Arguments, Findable, OfData, OfInfo, OfUser, Subject};
pub use subjects::Subjects;
