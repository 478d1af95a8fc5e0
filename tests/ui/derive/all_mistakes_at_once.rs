use sessionkit::SessionData;

#[derive(SessionData)]
#[session(nmae = "cart", scope = "Office")]
struct Cart {
    #[session(tll = "10m")]
    items: u64,
    #[session(merge = add, ttl = "10m")]
    views: u64,
    #[session(skip, carry)]
    cache: u64,
}

fn main() {}
