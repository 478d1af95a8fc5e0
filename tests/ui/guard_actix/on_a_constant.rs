use sessionkit::actix::session;

#[session(require_login)]
const ADMIN: u8 = 1;

fn main() {}
