use sessionkit::axum::session;

#[session(any(requires_login))]
async fn admin() {}

fn main() {}
