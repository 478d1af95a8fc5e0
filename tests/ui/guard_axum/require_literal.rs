use sessionkit::axum::session;

#[session(require = true)]
async fn admin() {}

fn main() {}
