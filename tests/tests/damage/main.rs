//! Tests of a Redis that an operator or an accident damages in use: no answer is wrong, and no commit is half done.

mod bytes;
mod connections;
mod shop;
