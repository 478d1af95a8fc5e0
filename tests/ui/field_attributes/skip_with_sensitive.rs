use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(skip, sensitive)]
    items: u64,
}

fn main() {}
