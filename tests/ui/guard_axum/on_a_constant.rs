use sessionkit::axum::session;

#[session(require_login)]
const ADMIN: u8 = 1;

fn main() {}
