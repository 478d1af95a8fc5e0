use sessionkit::actix::session;

#[session(carry)]
async fn admin() {}

fn main() {}
