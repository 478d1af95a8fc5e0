use sessionkit::SessionData;
use sessionkit::axum::session;

#[derive(SessionData)]
struct User {
    rights: Vec<String>,
}

fn may(right: &'static str) -> impl Fn(&User) -> bool {
    move |user| user.rights.iter().any(|has| has == right)
}

#[session(require = may)]
async fn read() {}

fn main() {}
