use sessionkit::axum::session;

struct Office;

#[session(require_login, layer = Office)]
async fn admin() {}

fn main() {}
