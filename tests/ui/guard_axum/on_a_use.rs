use sessionkit::axum::session;

#[session(require_login)]
pub use std::vec;

fn main() {}
