use sessionkit::actix::session;

#[session(require_login("/login"))]
async fn admin() {}

fn main() {}
