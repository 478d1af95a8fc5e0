use sessionkit::axum::session;
use sessionkit::{SessionData, SessionUser};

#[derive(SessionData)]
struct Person {
    is_admin: bool,
}

impl SessionUser for Person {}

#[session(require = |person: &Person| person.is_admin)]
async fn admin() {}

fn main() {}
