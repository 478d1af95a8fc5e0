use sessionkit::SessionData;

#[derive(SessionData)]
#[session(require_login)]
struct Cart {
    items: u64,
}

fn main() {}
