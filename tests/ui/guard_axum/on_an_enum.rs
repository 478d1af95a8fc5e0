use sessionkit::axum::session;

#[session(require_login)]
enum Admin {}

fn main() {}
