use sessionkit::axum::session;

#[session(name = "admin")]
async fn admin() {}

fn main() {}
