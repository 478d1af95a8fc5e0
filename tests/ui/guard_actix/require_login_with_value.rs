use sessionkit::actix::session;

#[session(require_login = true)]
async fn admin() {}

fn main() {}
