use sessionkit::actix::session;

#[session(requires_login, require = "is_admin", scope)]
async fn admin() {}

fn main() {}
