use sessionkit::axum::session;

#[session(require(is_admin))]
async fn admin() {}

fn main() {}
