use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(rename = "cart.items")]
    items: u64,
}

fn main() {}
