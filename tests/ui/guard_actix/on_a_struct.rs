use sessionkit::actix::session;

#[session(require_login)]
struct Admin;

fn main() {}
