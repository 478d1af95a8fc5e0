use sessionkit::actix::session;

#[session(require_login, login_url = "/..//evil.example")]
async fn admin() {}

fn main() {}
