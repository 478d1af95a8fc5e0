use sessionkit::actix::session;

#[session(is_admin)]
async fn admin() {}

fn main() {}
