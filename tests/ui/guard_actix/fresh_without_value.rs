use sessionkit::actix::session;

#[session(require_fresh)]
async fn admin() {}

fn main() {}
