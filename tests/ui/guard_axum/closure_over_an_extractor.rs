use sessionkit::SessionData;
use sessionkit::axum::{Session, session};

#[derive(SessionData)]
struct Desk {
    is_open: bool,
}

#[session(require = |desk: &Session<self::Desk>| desk.is_open)]
async fn desk(desk: Session<Desk>) {
    let _ = desk;
}

fn main() {}
