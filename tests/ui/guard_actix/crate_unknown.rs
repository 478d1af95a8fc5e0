use sessionkit::actix::session;

#[session(require_login, crate = nowhere)]
async fn admin() {}

fn main() {}
