use sessionkit::axum::session;

#[session(login_required)]
async fn account() {}

fn main() {}
