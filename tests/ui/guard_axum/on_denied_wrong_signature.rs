use sessionkit::axum::session;

fn forbidden(path: &str) -> String {
    path.to_owned()
}

#[session(require_login, on_denied = forbidden)]
async fn counter() {}

fn main() {}
