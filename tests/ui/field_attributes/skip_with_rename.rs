use sessionkit::SessionData;

#[derive(SessionData)]
struct Cart {
    #[session(skip, rename = "things")]
    items: u64,
}

fn main() {}
