//! Two releases of an application over one store, one after the other and side by side: nothing is lost.

mod alias;
mod ill_fitting;
mod locked_out;
mod read_back;
mod unknown;
mod versions;
