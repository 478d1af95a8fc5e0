use sessionkit::actix::session;

#[session(any())]
async fn admin() {}

fn main() {}
