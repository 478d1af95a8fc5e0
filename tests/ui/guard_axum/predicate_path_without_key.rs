use sessionkit::axum::session;

#[session(policy::is_admin)]
async fn admin() {}

fn main() {}
