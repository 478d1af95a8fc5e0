use sessionkit::actix::session;

#[session(require_login)]
enum Admin {}

fn main() {}
