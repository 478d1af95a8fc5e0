use sessionkit::SessionData;
use sessionkit::actix::session;

#[derive(SessionData)]
struct User {
    name: String,
    is_admin: bool,
}

fn name(user: &User) -> String {
    user.name.clone()
}

#[session(require = name)]
async fn admin() {}

fn main() {}
