use sessionkit::SessionData;
use sessionkit::actix::session;

#[derive(SessionData)]
struct User {
    name: String,
    is_admin: bool,
}

#[session(require = |user: User| user.is_admin)]
async fn admin() {}

fn main() {}
