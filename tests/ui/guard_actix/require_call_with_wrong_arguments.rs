use sessionkit::SessionData;
use sessionkit::actix::session;

#[derive(SessionData)]
struct User {
    rights: Vec<String>,
}

fn may(right: &'static str) -> impl Fn(&User) -> bool {
    move |user| user.rights.iter().any(|has| has == right)
}

#[session(require_login, any(may(7), |user: &User| user.rights.is_empty()))]
async fn read() {}

fn main() {}
