use sessionkit::axum::session;

fn login(path: &str) -> String {
    path.to_owned()
}

#[session(require_login, login_url = login)]
async fn counter() {}

fn main() {}
