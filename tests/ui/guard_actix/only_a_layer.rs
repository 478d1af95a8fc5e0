use sessionkit::actix::session;

#[session(layer = sessionkit::Main)]
async fn admin() {}

fn main() {}
