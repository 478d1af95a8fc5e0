use sessionkit::axum::session;

#[session(require_login)]
async fn account() -> &'static str {
    "your account"
}

fn main() {
    let _ = actix_web::App::new().route("/account", actix_web::web::get().to(account));
}
