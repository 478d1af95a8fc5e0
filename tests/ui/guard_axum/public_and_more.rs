use sessionkit::axum::session;

#[session(public, require_login)]
async fn admin() {}

fn main() {}
