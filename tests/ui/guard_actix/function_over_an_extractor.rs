use sessionkit::SessionUser;
use sessionkit::actix::{User, session};

struct Account {
    is_admin: bool,
}

impl SessionUser for Account {}

fn is_admin(user: &User<Account>) -> bool {
    user.is_admin
}

#[session(require = is_admin)]
async fn office() {}

fn main() {}
