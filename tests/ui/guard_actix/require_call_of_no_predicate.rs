use sessionkit::SessionData;
use sessionkit::actix::session;

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
