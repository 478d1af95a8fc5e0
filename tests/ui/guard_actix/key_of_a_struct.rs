use sessionkit::actix::session;

#[session(name = "admin")]
async fn admin() {}

fn main() {}
