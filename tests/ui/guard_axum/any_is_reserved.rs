use sessionkit::axum::session;

#[session(any(require_login))]
async fn admin() {}

fn main() {}
