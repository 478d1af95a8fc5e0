use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(ttl = "3107d")]
    items: u64,
}

fn main() {}
