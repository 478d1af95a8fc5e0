use sessionkit::SessionData;

#[derive(SessionData)]
#[session(ttl = "10m")]
struct Cart {
    items: u64,
}

fn main() {}
