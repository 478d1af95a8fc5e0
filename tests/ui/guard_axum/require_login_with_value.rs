use sessionkit::axum::session;

#[session(require_login = true)]
async fn admin() {}

fn main() {}
