use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(carry)]
    #[session(carry)]
    items: u64,
}

fn main() {}
