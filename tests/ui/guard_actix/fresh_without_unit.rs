use sessionkit::actix::session;

#[session(require_fresh = 300)]
async fn admin() {}

fn main() {}
