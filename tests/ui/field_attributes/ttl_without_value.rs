use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(ttl)]
    items: u64,
}

fn main() {}
