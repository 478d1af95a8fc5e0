//! Nothing counts the sessions that lie in cookies.

use sessionkit::{InCookie, SessionScope};

struct Visitor;

impl SessionScope for Visitor {
    const NAME: &'static str = "Visitor";
    type Home = InCookie;
}

async fn emergency(manager: sessionkit::SessionManager<Visitor>) {
    let _ = manager.end_everyone().await;
}

fn main() {}
