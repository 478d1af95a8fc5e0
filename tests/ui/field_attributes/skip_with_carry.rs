use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(skip, carry)]
    items: u64,
}

fn main() {}
