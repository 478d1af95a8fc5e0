use sessionkit::actix::session;

#[session(require_login, scope = sessionkit::MainScope, scope = sessionkit::MainScope)]
async fn admin() {}

fn main() {}
