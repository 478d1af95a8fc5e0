use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    items: u64,
    #[session(rename = "items")]
    things: u64,
}

fn main() {}
