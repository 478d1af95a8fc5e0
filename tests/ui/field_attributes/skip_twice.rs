use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(skip, skip)]
    items: u64,
}

fn main() {}
