use sessionkit::axum::session;

#[session(any())]
async fn admin() {}

fn main() {}
