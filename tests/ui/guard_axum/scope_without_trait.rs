use sessionkit::axum::session;

struct Office;

#[session(require_login, scope = Office)]
async fn admin() {}

fn main() {}
