use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session("items")]
    items: u64,
}

fn main() {}
