use sessionkit::{SessionData, SessionUser};

#[derive(SessionData)]
struct Person {
    is_admin: bool,
}

impl SessionUser for Person {}

fn main() {}
