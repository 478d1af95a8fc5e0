use sessionkit::actix::session;

#[session(require_login, layer = sessionkit::Main, layer = sessionkit::Main)]
async fn admin() {}

fn main() {}
