use sessionkit::axum::session;

#[session(not(require_login))]
async fn admin() {}

fn main() {}
