//! Sessions on the server are not set up as cookies.

use sessionkit::{CookieSessions, KeyRing, MainScope, SessionConfig, SessionManager};

fn main() {
    SessionManager::<MainScope>::in_cookie(CookieSessions::sealed(KeyRing::generate()), SessionConfig::default());
}
