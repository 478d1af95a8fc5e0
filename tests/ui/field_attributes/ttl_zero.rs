use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(ttl = "0s")]
    items: u64,
}

fn main() {}
