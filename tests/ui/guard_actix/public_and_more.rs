use sessionkit::actix::session;

#[session(public, require_login)]
async fn admin() {}

fn main() {}
