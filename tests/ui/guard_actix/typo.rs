use sessionkit::actix::session;

#[session(requires_login)]
async fn admin() {}

fn main() {}
