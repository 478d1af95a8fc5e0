use sessionkit::actix::session;

#[session(require_login)]
fn account() -> &'static str {
    "your account"
}

fn main() {
    let _ = actix_web::App::new().route("/account", actix_web::web::get().to(account));
}
