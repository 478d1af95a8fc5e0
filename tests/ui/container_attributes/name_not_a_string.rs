use sessionkit::SessionData;

#[derive(SessionData)]
#[session(name = cart)]
struct Cart {
    items: u64,
}

fn main() {}
