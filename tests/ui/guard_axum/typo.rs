use sessionkit::axum::session;

#[session(requires_login)]
async fn admin() {}

fn main() {}
