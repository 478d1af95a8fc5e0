use sessionkit::actix::session;

#[session(require_login)]
trait Admin {}

fn main() {}
