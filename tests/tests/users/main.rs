//! Users: who they are is loaded once for each request that asks, and a failure is never an answer.

mod accounts;
mod actors;
mod behind_guards;
mod changes;
mod extractors;
mod failures;
mod gone;
mod panics;
mod parameters;
mod requirements;
mod rules;
mod stamps;
mod subjects;
