//! Tests of the record that each delta makes of another.

mod clock;
mod encryption;
mod expiry;
mod fields;
mod fixture;
mod header;
mod later;
mod renewal;
mod size;
