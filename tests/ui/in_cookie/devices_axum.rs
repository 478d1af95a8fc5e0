//! No server has a list of the sessions that lie in cookies.

use sessionkit::axum::{Auth, SessionRejection};
use sessionkit::{InCookie, SessionScope};

struct Visitor;

impl SessionScope for Visitor {
    const NAME: &'static str = "Visitor";
    type Home = InCookie;
}

async fn devices(auth: Auth<Visitor>) -> Result<String, SessionRejection> {
    let devices = auth.devices().list().await?;
    Ok(devices.len().to_string())
}

fn main() {}
