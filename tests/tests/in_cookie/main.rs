//! Sessions that lie in the cookies themselves: sealed, revocable, and shared with another system.

mod keys;
mod limits;
mod revocable;
mod sealed;
mod shared;
