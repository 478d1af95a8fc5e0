use sessionkit::SessionData;
use sessionkit::axum::session;

#[session(name = "cart")]
#[derive(SessionData)]
struct Cart {
    items: u64,
}

fn main() {}
