use sessionkit::actix::session;

#[session(any(is_admin()))]
async fn admin() {}

fn main() {}
