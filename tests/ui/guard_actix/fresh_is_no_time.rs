use sessionkit::actix::session;

#[session(require_fresh = "soon")]
async fn admin() {}

fn main() {}
