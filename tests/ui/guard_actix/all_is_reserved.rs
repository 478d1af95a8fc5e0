use sessionkit::actix::session;

#[session(all(require_login))]
async fn admin() {}

fn main() {}
