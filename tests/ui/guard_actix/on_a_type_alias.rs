use sessionkit::actix::session;

#[session(require_login)]
type Admin = u8;

fn main() {}
