use sessionkit::actix::session;

#[session(or(require_login))]
async fn admin() {}

fn main() {}
