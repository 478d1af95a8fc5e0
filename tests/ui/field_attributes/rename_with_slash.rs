use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(rename = "a/b")]
    items: u64,
}

fn main() {}
