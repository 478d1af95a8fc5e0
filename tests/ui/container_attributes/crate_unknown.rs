use sessionkit::SessionData;

#[derive(SessionData)]
#[session(crate = nowhere)]
struct Cart {
    items: u64,
}

fn main() {}
