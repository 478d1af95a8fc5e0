use sessionkit::actix::session;

#[session(require_login, crate = "sessionkit")]
async fn admin() {}

fn main() {}
