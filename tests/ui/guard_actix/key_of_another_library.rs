use sessionkit::actix::session;

#[session(login_required)]
async fn account() {}

fn main() {}
