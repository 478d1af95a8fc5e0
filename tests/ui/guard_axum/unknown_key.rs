use sessionkit::axum::session;

#[session(role = "admin")]
async fn admin() {}

fn main() {}
