use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(rename = "a", rename = "b")]
    items: u64,
}

fn main() {}
