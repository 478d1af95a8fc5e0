use sessionkit::actix::session;

#[session(all)]
async fn admin() {}

fn main() {}
