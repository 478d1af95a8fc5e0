use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(rename = "items\u{7}")]
    items: u64,
}

fn main() {}
