use sessionkit::axum::{Auth, SessionRejection};

async fn confirm(auth: Auth) -> Result<&'static str, SessionRejection> {
    auth.reauthenticate()?;
    Ok("it is you")
}

fn main() {}
