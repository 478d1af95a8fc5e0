use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(skip = true)]
    items: u64,
}

fn main() {}
