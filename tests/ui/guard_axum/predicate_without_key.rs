use sessionkit::axum::session;

#[session(is_admin)]
async fn admin() {}

fn main() {}
