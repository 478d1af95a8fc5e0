use sessionkit::SessionData;

#[derive(SessionData)]
#[session(name = "shop.cart")]
struct Cart {
    items: u64,
}

fn main() {}
