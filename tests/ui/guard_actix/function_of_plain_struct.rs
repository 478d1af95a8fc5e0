use sessionkit::SessionData;
use sessionkit::actix::session;

#[derive(SessionData)]
struct User {
    name: String,
    is_admin: bool,
}

struct Person;

fn is_admin(_: &Person) -> bool {
    true
}

#[session(require = is_admin)]
async fn admin() {}

fn main() {}
