use sessionkit::axum::session;

#[session(require_login)]
trait Admin {}

fn main() {}
