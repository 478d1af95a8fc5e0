use sessionkit::axum::session;

#[session(require_login)]
static ADMIN: u8 = 1;

fn main() {}
