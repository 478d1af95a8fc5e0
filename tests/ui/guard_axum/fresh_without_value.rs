use sessionkit::axum::session;

#[session(require_fresh)]
async fn admin() {}

fn main() {}
