use sessionkit::actix::session;

#[session(policy::is_admin)]
async fn admin() {}

fn main() {}
