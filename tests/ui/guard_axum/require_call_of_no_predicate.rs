use sessionkit::SessionData;
use sessionkit::axum::session;

#[derive(SessionData)]
struct User {
    rights: Vec<String>,
}

fn may(user: &str) -> bool {
    user == "ada"
}

#[session(require = may("ada"))]
async fn read() {}

fn main() {}
