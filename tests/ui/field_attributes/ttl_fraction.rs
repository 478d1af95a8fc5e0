use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(ttl = "1.5h")]
    items: u64,
}

fn main() {}
