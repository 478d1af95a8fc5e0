use sessionkit::SessionData;

#[derive(SessionData)]
#[session(version = 2)]
struct Cart {
    items: u64,
}

fn main() {}
