use sessionkit::axum::session;

#[session(or(require_login))]
async fn admin() {}

fn main() {}
