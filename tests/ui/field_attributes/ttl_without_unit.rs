use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(ttl = "600")]
    items: u64,
}

fn main() {}
