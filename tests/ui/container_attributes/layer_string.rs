use sessionkit::SessionData;

#[derive(SessionData)]
#[session(layer = "Office")]
struct Cart {
    items: u64,
}

fn main() {}
