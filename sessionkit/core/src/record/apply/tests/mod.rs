//! What each delta makes of a record.

mod clock;
mod expiry;
mod fields;
mod fixture;
mod header;
mod later;
mod renewal;
mod size;
