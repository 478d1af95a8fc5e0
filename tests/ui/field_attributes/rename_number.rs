use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(rename = 5)]
    items: u64,
}

fn main() {}
