use sessionkit::actix::session;

#[session(scope = sessionkit::MainScope)]
async fn admin() {}

fn main() {}
