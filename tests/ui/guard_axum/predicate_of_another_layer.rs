use sessionkit::axum::session;
use sessionkit::{LayerMarker, SessionData};

struct Office;

impl LayerMarker for Office {
    const NAME: &'static str = "Office";
}

#[derive(SessionData)]
struct User {
    is_admin: bool,
}

#[session(layer = Office, require = |user: &User| user.is_admin)]
async fn admin() {}

fn main() {}
