use sessionkit::axum::session;

#[session(not(is_new, is_banned))]
async fn admin() {}

fn main() {}
