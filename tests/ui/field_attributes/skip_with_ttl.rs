use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(skip, ttl = "10m")]
    items: u64,
}

fn main() {}
