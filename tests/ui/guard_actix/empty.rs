use sessionkit::actix::session;

#[session()]
async fn admin() {}

fn main() {}
