//! Sessions that lie in the cookies themselves: sealed, revocable, and shared with another system.

mod clients;
mod keys;
mod limits;
mod others;
mod revocable;
mod sealed;
mod shared;
mod under_way;
