use sessionkit::actix::session;

#[session(require = true)]
async fn admin() {}

fn main() {}
