use sessionkit::actix::session;

#[session(require_login)]
use std::vec;

fn main() {}
