use sessionkit::axum::session;

#[session(require_login)]
mod admin {}

fn main() {}
