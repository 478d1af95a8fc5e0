use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(ttl = "10m", merge = add)]
    items: u64,
}

fn main() {}
