use sessionkit::axum::session;

#[session(require_login layer = sessionkit::Main)]
async fn admin() {}

fn main() {}
