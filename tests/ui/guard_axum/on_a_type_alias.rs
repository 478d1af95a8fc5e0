use sessionkit::axum::session;

#[session(require_login)]
type Admin = u8;

fn main() {}
