use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(alias = "cart.things")]
    items: u64,
}

fn main() {}
