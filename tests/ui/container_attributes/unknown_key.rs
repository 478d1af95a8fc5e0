use sessionkit::SessionData;

#[derive(SessionData)]
#[session(table = "carts")]
struct Cart {
    items: u64,
}

fn main() {}
