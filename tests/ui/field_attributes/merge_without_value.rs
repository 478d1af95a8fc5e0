use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(merge)]
    items: u64,
}

fn main() {}
