use sessionkit::axum::session;

#[session(require_login, crate = "sessionkit")]
async fn admin() {}

fn main() {}
