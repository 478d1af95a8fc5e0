use sessionkit::axum::session;

#[session(require = )]
async fn admin() {}

fn main() {}
