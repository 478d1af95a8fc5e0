use sessionkit::axum::session;

#[session(all(require_login))]
async fn admin() {}

fn main() {}
