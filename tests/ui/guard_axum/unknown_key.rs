use sessionkit::axum::session;

#[session(timeout = "5m")]
async fn admin() {}

fn main() {}
