//! The devices of a user: listed, ended, limited; and what comes between a login and a revocation.

mod costs;
mod damaged;
mod damaged_list;
mod ending;
mod limits;
mod list;
mod lost_answers;
mod names;
mod owners;
mod races;
mod revocations;
mod undecided;
