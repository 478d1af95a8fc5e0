use sessionkit::axum::session;

#[session(require_login, scope)]
async fn admin() {}

fn main() {}
