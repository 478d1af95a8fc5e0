use sessionkit::actix::session;

#[session(require_login)]
mod admin {}

fn main() {}
