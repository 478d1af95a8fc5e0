use sessionkit::actix::session;

#[session(require = "user.is_admin")]
async fn admin() {}

fn main() {}
