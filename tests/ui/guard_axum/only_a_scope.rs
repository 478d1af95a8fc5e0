use sessionkit::axum::session;

#[session(scope = sessionkit::MainScope)]
async fn admin() {}

fn main() {}
