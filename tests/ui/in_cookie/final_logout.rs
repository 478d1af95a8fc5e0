//! Code that relies on a logout does not take sessions whose copies stay valid.

use sessionkit::{InCookie, SessionScope};

struct Visitor;

impl SessionScope for Visitor {
    const NAME: &'static str = "Visitor";
    type Home = InCookie;
}

fn payments<Scope: SessionScope<Home: sessionkit::FinalLogout>>(_: sessionkit::SessionManager<Scope>) {}

fn start(manager: sessionkit::SessionManager<Visitor>) {
    payments(manager);
}

fn main() {}
