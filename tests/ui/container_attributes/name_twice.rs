use sessionkit::SessionData;

#[derive(SessionData)]
#[session(name = "a", name = "b")]
struct Cart {
    items: u64,
}

fn main() {}
