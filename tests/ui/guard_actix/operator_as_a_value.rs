use sessionkit::actix::session;

#[session(require = any(is_admin))]
async fn admin() {}

fn main() {}
