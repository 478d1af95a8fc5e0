use sessionkit::axum::session;

#[session(require_login)]
struct Admin;

fn main() {}
