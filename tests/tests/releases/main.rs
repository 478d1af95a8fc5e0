//! Two releases of an application over one store, one after the other and side by side: nothing is lost.

mod ill_fitting;
mod unknown;
