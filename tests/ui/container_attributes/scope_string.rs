use sessionkit::SessionData;

#[derive(SessionData)]
#[session(scope = "Office")]
struct Cart {
    items: u64,
}

fn main() {}
