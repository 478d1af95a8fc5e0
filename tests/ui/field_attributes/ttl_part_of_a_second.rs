use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(ttl = "250ms")]
    items: u64,
}

fn main() {}
