//! Tests of the code that the derive expands to, compiled and run: in every kind of struct, and in hostile scopes.

mod cfgs;
mod generics;
mod many_fields;
mod names;
mod scopes;
mod visitor;
