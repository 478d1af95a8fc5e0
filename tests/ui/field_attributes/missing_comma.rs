use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(carry sensitive)]
    items: u64,
}

fn main() {}
