use sessionkit::actix::session;

#[session(role = "admin")]
async fn admin() {}

fn main() {}
