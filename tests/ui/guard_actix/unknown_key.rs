use sessionkit::actix::session;

#[session(timeout = "5m")]
async fn admin() {}

fn main() {}
