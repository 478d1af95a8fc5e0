use sessionkit::actix::session;

#[session(require = "is_admin")]
async fn admin() {}

fn main() {}
