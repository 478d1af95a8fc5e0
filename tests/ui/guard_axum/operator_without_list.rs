use sessionkit::axum::session;

#[session(all)]
async fn admin() {}

fn main() {}
