use sessionkit::SessionData;
use sessionkit::axum::session;

#[derive(SessionData)]
struct User {
    name: String,
    is_admin: bool,
}

#[session(require = user.is_admin)]
async fn admin() {}

fn main() {}
