use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(ttl = "2w")]
    items: u64,
}

fn main() {}
