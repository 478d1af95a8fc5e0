use sessionkit::axum::session;

#[session(require_fresh = "soon")]
async fn admin() {}

fn main() {}
