use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(carry = true)]
    items: u64,
}

fn main() {}
