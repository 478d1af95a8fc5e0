use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(merge = sum)]
    items: u64,
}

fn main() {}
