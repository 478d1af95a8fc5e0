use sessionkit::SessionData;
use sessionkit::axum::session;

#[derive(SessionData)]
struct User {
    name: String,
    is_admin: bool,
}

fn is_admin() -> fn(&User) -> bool {
    |user| user.is_admin
}

#[session(require = is_admin())]
async fn admin() {}

fn main() {}
