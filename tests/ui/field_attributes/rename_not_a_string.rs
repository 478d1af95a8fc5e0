use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(rename = things)]
    items: u64,
}

fn main() {}
