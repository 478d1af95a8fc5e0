use sessionkit::actix::session;

#[session(require_login)]
async fn admin(#[cfg(unix)] path: String) -> String {
    path
}

fn main() {}
