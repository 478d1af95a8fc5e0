use sessionkit::actix::session;

#[session(require_login)]
pub use std::vec;

fn main() {}
