//! A revocable scope needs a store for its revocations.

use sessionkit::{CookieSessions, InRevocableCookie, KeyRing, SessionConfig, SessionManager, SessionScope};

struct Member;

impl SessionScope for Member {
    const NAME: &'static str = "Member";
    type Home = InRevocableCookie;
}

fn main() {
    SessionManager::<Member>::in_cookie(CookieSessions::sealed(KeyRing::generate()), SessionConfig::default());
}
