use sessionkit::axum::session;

#[session(require_login)]
fn account() -> &'static str {
    "your account"
}

fn main() {
    let _: axum::Router = axum::Router::new().route("/account", axum::routing::get(account));
}
