use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(rename = "my items")]
    items: u64,
}

fn main() {}
