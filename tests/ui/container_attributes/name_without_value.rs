use sessionkit::SessionData;

#[derive(SessionData)]
#[session(name)]
struct Cart {
    items: u64,
}

fn main() {}
