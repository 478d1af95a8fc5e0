use sessionkit::actix::session;
use sessionkit::{SessionScope, SessionData};

struct Office;

impl SessionScope for Office {
    const NAME: &'static str = "Office";
    type Home = sessionkit::OnServer;
}

#[derive(SessionData)]
struct User {
    is_admin: bool,
}

#[session(scope = Office, require = |user: &User| user.is_admin)]
async fn admin() {}

fn main() {}
