use sessionkit::actix::session;

#[session(require_login, layer = Office)]
async fn admin() {}

fn main() {}
