use sessionkit::actix::session;

#[session(any(require_login))]
async fn admin() {}

fn main() {}
