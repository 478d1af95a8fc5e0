use sessionkit::actix::session;

#[session(any(is_admin, login_url = "/login"))]
async fn admin() {}

fn main() {}
