//! Tests of a session from its beginning to its end.

mod anonymous_ttl;
mod auth;
mod bad_cookie;
mod clocks;
mod details;
mod expiry;
mod fields;
mod handed_over;
mod hooks;
mod impersonation;
mod logout_keep;
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
mod trouble;
mod two_managers;
mod under_way;
mod uninitialized;
