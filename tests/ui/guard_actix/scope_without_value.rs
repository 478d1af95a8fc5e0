use sessionkit::actix::session;

#[session(require_login, scope)]
async fn admin() {}

fn main() {}
