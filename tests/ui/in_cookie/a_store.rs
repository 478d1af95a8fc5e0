//! A store is no place for sessions that lie in cookies.

use sessionkit::{InCookie, SessionScope};

struct Visitor;

impl SessionScope for Visitor {
    const NAME: &'static str = "Visitor";
    type Home = InCookie;
}

fn main() {
    sessionkit::SessionManager::<Visitor>::for_scope(sessionkit::MemoryStore::new(), sessionkit::SessionConfig::default());
}
