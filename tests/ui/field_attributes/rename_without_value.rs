use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(rename)]
    items: u64,
}

fn main() {}
