use sessionkit::axum::session;

#[session()]
async fn admin() {}

fn main() {}
