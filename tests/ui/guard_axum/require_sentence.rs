use sessionkit::axum::session;

#[session(require = "user.is_admin")]
async fn admin() {}

fn main() {}
