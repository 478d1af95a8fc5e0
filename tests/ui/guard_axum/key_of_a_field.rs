use sessionkit::axum::session;

#[session(carry)]
async fn admin() {}

fn main() {}
