//! Tests of a session from its beginning to its end.

mod actix_errors;
mod auth;
mod bad_cookie;
mod clocks;
mod details;
mod expiry;
mod fields;
mod hooks;
mod impersonation;
mod overtaken;
mod presets;
mod remember;
mod renewal;
mod rolling;
mod rotation_grace;
mod rules;
mod scopes;
mod state;
mod step_up;
mod tower_services;
mod trouble;
mod two_managers;
mod under_way;
mod uninitialized;
mod unseen;
