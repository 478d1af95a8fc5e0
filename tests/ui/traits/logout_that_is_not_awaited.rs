use sessionkit::axum::{Auth, SessionRejection};

async fn log_out(auth: Auth) -> Result<&'static str, SessionRejection> {
    auth.logout()?;
    Ok("bye")
}

fn main() {}
