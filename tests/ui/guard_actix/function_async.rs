use sessionkit::SessionData;
use sessionkit::actix::session;

#[derive(SessionData)]
struct User {
    name: String,
    is_admin: bool,
}

async fn is_admin(user: &User) -> bool {
    user.is_admin
}

#[session(require = is_admin)]
async fn admin() {}

fn main() {}
