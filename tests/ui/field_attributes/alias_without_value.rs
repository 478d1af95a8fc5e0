use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(alias)]
    items: u64,
}

fn main() {}
