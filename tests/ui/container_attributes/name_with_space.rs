use sessionkit::SessionData;

#[derive(SessionData)]
#[session(name = "my cart")]
struct Cart {
    items: u64,
}

fn main() {}
