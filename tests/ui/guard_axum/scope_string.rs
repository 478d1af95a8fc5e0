use sessionkit::axum::session;

#[session(require_login, scope = "Office")]
async fn admin() {}

fn main() {}
