use sessionkit::axum::session;

#[session(require_login)]
use std::vec;

fn main() {}
