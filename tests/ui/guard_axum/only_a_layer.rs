use sessionkit::axum::session;

#[session(layer = sessionkit::Main)]
async fn admin() {}

fn main() {}
