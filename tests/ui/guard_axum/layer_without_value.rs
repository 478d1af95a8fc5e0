use sessionkit::axum::session;

#[session(require_login, layer)]
async fn admin() {}

fn main() {}
