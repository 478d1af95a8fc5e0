use sessionkit::actix::session;

#[session(not(require_login))]
async fn admin() {}

fn main() {}
