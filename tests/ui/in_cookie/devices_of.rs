//! No server can end a session that lies in a cookie.

use sessionkit::{InCookie, SessionScope};

struct Visitor;

impl SessionScope for Visitor {
    const NAME: &'static str = "Visitor";
    type Home = InCookie;
}

async fn lock_out(manager: sessionkit::SessionManager<Visitor>) {
    let _ = manager.devices_of("ada");
}

fn main() {}
