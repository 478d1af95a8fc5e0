use sessionkit::actix::session;

#[session(require_login, layer)]
async fn admin() {}

fn main() {}
