use sessionkit::actix::session;

#[session(require)]
async fn admin() {}

fn main() {}
