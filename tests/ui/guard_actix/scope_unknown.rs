use sessionkit::actix::session;

#[session(require_login, scope = Office)]
async fn admin() {}

fn main() {}
