use sessionkit::actix::session;

#[session(requires_login, require = "is_admin", layer)]
async fn admin() {}

fn main() {}
