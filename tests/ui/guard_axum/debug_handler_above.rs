use sessionkit::axum::session;

#[axum::debug_handler]
#[session(require_login)]
async fn show() -> &'static str {
    "numbers"
}

fn main() {}
