use sessionkit::axum::session;

#[session(require = any(is_admin))]
async fn admin() {}

fn main() {}
