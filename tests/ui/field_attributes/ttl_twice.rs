use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(ttl = "1m", ttl = "2m")]
    items: u64,
}

fn main() {}
