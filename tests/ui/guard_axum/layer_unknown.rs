use sessionkit::axum::session;

#[session(require_login, layer = Office)]
async fn admin() {}

fn main() {}
