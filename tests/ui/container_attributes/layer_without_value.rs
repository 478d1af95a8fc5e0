use sessionkit::SessionData;

#[derive(SessionData)]
#[session(layer)]
struct Cart {
    items: u64,
}

fn main() {}
