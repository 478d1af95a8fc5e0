use sessionkit::actix::{Auth, SessionRejection};

async fn log_in(auth: Auth) -> Result<&'static str, SessionRejection> {
    auth.login("ada").device_label("Firefox")?;
    Ok("welcome")
}

fn main() {}
