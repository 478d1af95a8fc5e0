use sessionkit::actix::session;

struct Admin;

#[session(require_login)]
impl Admin {}

fn main() {}
