use sessionkit::axum::session;

#[session(require_login, require_login)]
async fn admin() {}

fn main() {}
