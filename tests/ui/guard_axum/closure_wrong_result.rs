use sessionkit::SessionData;
use sessionkit::axum::session;

#[derive(SessionData)]
struct User {
    name: String,
    is_admin: bool,
}

#[session(require = |user: &User| user.name.clone())]
async fn admin() {}

fn main() {}
