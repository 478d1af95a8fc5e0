use sessionkit::SessionData;
use sessionkit::actix::{Session, session};

#[derive(SessionData)]
struct User {
    name: String,
    is_admin: bool,
}

#[session(require_login)]
async fn admin(user: Session<User>) -> String {
    user.nmae.clone()
}

fn main() {}
